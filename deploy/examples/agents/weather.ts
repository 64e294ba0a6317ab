/** A sample agent that makes up the weather: the same city has the same weather on the same day. */
import { createHash } from 'node:crypto';
import { serveAgent } from './myagent-server.ts';

const SKIES = ['sunny', 'partly cloudy', 'overcast', 'light rain', 'heavy rain', 'thunderstorms', 'snow', 'fog'];
const STOP_WORDS = new Set([
  'what',
  'is',
  'the',
  'weather',
  'in',
  'like',
  'today',
  'tomorrow',
  'how',
  'will',
  'be',
  'for',
  'at',
  'please',
  'tell',
  'me',
  'about',
  'and',
  '?',
]);

function cityIn(text: string): string {
  const chinese = /([\p{Script=Han}]{2,6}?)(?:的)?(?:今天|明天)?(?:的)?天气/u.exec(text)?.[1];
  if (chinese !== undefined) return chinese;
  const words = text
    .replace(/[?!.,]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '' && !STOP_WORDS.has(word.toLowerCase()));
  return words.join(' ') || 'your town';
}

serveAgent({
  name: 'weather',
  answer(text) {
    const city = cityIn(text);
    const digest = createHash('sha256')
      .update(`${city.toLowerCase()} ${new Date().toISOString().slice(0, 10)}`)
      .digest();
    const sky = SKIES[(digest[0] ?? 0) % SKIES.length] ?? 'sunny';
    const degrees = sky === 'snow' ? -5 + ((digest[1] ?? 0) % 6) : 8 + ((digest[1] ?? 0) % 22);
    const wind = (digest[2] ?? 0) % 40;
    return [
      { event: 'agent.thinking', content: `The question is about ${city}.` },
      { event: 'agent.tool_call', content: { tool: 'forecast', arguments: { city } } },
      { event: 'agent.tool_result', content: { tool: 'forecast', result: { sky, degrees, wind } } },
      { event: 'agent.thinking', content: 'The forecast is there; putting it into words.' },
      { event: 'agent.final_answer', content: `${city}: ${sky}, ${degrees} °C, wind ${wind} km/h. (Sample data.)` },
    ];
  },
});
