/** Sample agent: the weather of a city named in the message. Made up from the city's name, so the same every time. */
import { createHash } from 'node:crypto';
import type { Step } from './connection.ts';
import { serve } from './myagent-server.ts';

const SKIES = ['clear', 'partly cloudy', 'overcast', 'light rain', 'showers', 'fog', 'windy', 'snow'] as const;
const DEFAULT_CITY = 'Berlin';

/** The words after "in", "for", "at" or 在; else the last capitalised words; else the default. */
function cityIn(message: string): string {
  const named = /\b(?:in|for|at|of)\s+([\p{L}][\p{L} .'-]*)/iu.exec(message)?.[1];
  const capitalised = /([\p{Lu}][\p{L}'-]+(?:\s[\p{Lu}][\p{L}'-]+)*)\s*[?.!]*$/u.exec(message)?.[1];
  const chinese = /在?([\p{Script=Han}]{2,6}?)(?:的|今天|明天|天气)/u.exec(message)?.[1];
  const found = named ?? chinese ?? capitalised;
  return (found ?? DEFAULT_CITY).replace(/\s+(?:today|tomorrow|now|this week)$/i, '').trim();
}

function weatherOf(city: string): { sky: string; celsius: number; humidity: number; windKmh: number } {
  const bytes = createHash('sha256').update(city.toLowerCase()).digest();
  const at = (index: number): number => bytes[index] ?? 0;
  const sky = SKIES[at(0) % SKIES.length] ?? 'clear';
  const celsius = sky === 'snow' ? -(at(1) % 8) : 4 + (at(1) % 28);
  return { sky, celsius, humidity: 30 + (at(2) % 60), windKmh: 2 + (at(3) % 40) };
}

function turn(message: string): readonly Step[] {
  const city = cityIn(message);
  const result = weatherOf(city);
  return [
    { type: 'thinking', text: `The question is about the weather in ${city}.` },
    { type: 'thinking', text: 'I look up the present conditions.' },
    { type: 'tool', name: 'get_weather', arguments: { city }, result: { city, ...result } },
    {
      type: 'answer',
      text: `${city}: ${result.sky}, ${result.celsius} °C, humidity ${result.humidity} %, wind ${result.windKmh} km/h. (Sample data.)`,
    },
  ];
}

serve({ name: 'weather', turn });
