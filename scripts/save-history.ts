import { writeFileSync } from 'node:fs';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Command } from 'commander';
import { connectTemporal } from '../platform/connections.ts';
import { temporalTarget } from '../platform/config.ts';
import { withState } from '../platform/state.ts';

const command = new Command('save-history')
  .description('Saves the history of a zone workflow, to be replayed against later code by `npm test`.')
  .argument('<workflow-id>', 'for instance zone:nyc:nyc-midtown-center:car')
  .argument('[run-id]', 'the newest run if it is left out')
  .requiredOption('--out <file>', 'a file in test/histories/')
  .addHelpText(
    'after',
    '\nExample:\n  $ node dist/scripts/save-history.js zone:nyc:nyc-soho:car --out test/histories/soho.json',
  )
  .parse();

const [workflowId = '', runId] = command.args;
await using temporal = await connectTemporal(temporalTarget(withState(process.env)));
const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
/** Where it was recorded is nobody's business, and no part of what replays. */
function anonymous(key: string, value: unknown): unknown {
  if (key === 'identity') return 'recorded';
  return key === 'stackTrace' ? '' : value;
}

// One event per line: a saved history is read in reviews.
const { events }: { events: unknown[] } = JSON.parse(historyToJSON(history), anonymous);
const lines = events.map((event) => JSON.stringify(event)).join(',\n');
writeFileSync(command.opts<{ out: string }>().out, `{"events":[\n${lines}\n]}\n`);
process.stdout.write(`${events.length} events of ${workflowId}\n`);
