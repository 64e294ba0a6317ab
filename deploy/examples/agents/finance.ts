/** Sample agent: compound interest from the numbers in the message, or a made-up price of a symbol. The data are samples. */
import { createHash } from 'node:crypto';
import type { Step } from './connection.ts';
import { serve } from './myagent-server.ts';

interface Interest {
  readonly principal: number;
  readonly percent: number;
  readonly years: number;
}

/** "1000 at 5% for 10 years" in any wording that has an amount, a per cent and years. */
function interestIn(message: string): Interest | undefined {
  const percent = /(\d+(?:\.\d+)?)\s*(?:%|per ?cent)/i.exec(message);
  const years = /(\d+(?:\.\d+)?)\s*(?:years?|y\b|年)/i.exec(message);
  if (percent === null || years === null) return undefined;
  const rest = message.replace(percent[0], ' ').replace(years[0], ' ');
  const principal = /\d[\d,]*(?:\.\d+)?/.exec(rest);
  if (principal === null) return undefined;
  const number = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''));
  return { principal: number(principal[0]), percent: number(percent[1]), years: number(years[1]) };
}

/** Between 10.00 and 665.35, from the symbol alone. */
function priceOf(symbol: string): number {
  return Math.round(1000 + createHash('sha256').update(symbol).digest().readUInt16BE(0)) / 100;
}

function turn(message: string): readonly Step[] {
  const interest = interestIn(message);
  if (interest !== undefined) {
    const { principal, percent, years } = interest;
    const amount = Math.round(principal * (1 + percent / 100) ** years * 100) / 100;
    return [
      { type: 'thinking', text: 'This is a question of compound interest.' },
      { type: 'thinking', text: `${principal} × (1 + ${percent} / 100) ^ ${years}` },
      { type: 'tool', name: 'compound_interest', arguments: { principal, percent, years }, result: { amount } },
      {
        type: 'answer',
        text: `${principal} at ${percent} % a year is ${amount.toFixed(2)} after ${years} years, compounded yearly.`,
      },
    ];
  }
  const symbol = /\b[A-Z]{2,5}\b/.exec(message)?.[0] ?? 'ACME';
  const price = priceOf(symbol);
  return [
    { type: 'thinking', text: `The question is about the price of ${symbol}.` },
    { type: 'thinking', text: 'I look it up in the sample prices.' },
    { type: 'tool', name: 'get_quote', arguments: { symbol }, result: { symbol, price, currency: 'USD' } },
    { type: 'answer', text: `${symbol} stands at ${price.toFixed(2)} USD. (Sample data, not a real price.)` },
  ];
}

serve({ name: 'finance', turn });
