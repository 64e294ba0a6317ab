/** A sample agent that computes compound interest and makes up prices: the same symbol has the same price on the same day. */
import { createHash } from 'node:crypto';
import { serveAgent } from './myagent-server.ts';

function compound(text: string): string | undefined {
  const [amount, rate, years] = [...text.replaceAll(',', '').matchAll(/\d+(?:\.\d+)?/g)].map((match) =>
    Number(match[0]),
  );
  if (amount === undefined || rate === undefined || years === undefined) return undefined;
  const total = amount * (1 + rate / 100) ** years;
  return `${amount.toFixed(2)} at ${rate} % for ${years} years grows to ${total.toFixed(2)}.`;
}

function quote(text: string): string {
  const symbol = /\b[A-Z]{2,5}\b/.exec(text)?.[0] ?? 'SMPL';
  const digest = createHash('sha256')
    .update(`${symbol} ${new Date().toISOString().slice(0, 10)}`)
    .digest();
  return `${symbol} stands at ${(20 + digest.readUInt16BE(0) / 100).toFixed(2)}.`;
}

serveAgent({
  name: 'finance',
  answer(text) {
    const computed = compound(text);
    return [
      {
        event: 'agent.thinking',
        content: computed === undefined ? 'Looking for a price.' : 'Three numbers: an amount, a rate, years.',
      },
      {
        event: 'agent.tool_call',
        content: { tool: computed === undefined ? 'quote' : 'calculator', arguments: { text } },
      },
      { event: 'agent.final_answer', content: `${computed ?? quote(text)} (Sample data, no advice.)` },
    ];
  },
});
