import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { expect, it } from 'vitest';
import { ensureSearchAttributes, zoneAttributes } from '../../services/search-attributes.ts';
import { startTemporal } from '../../services/temporal.ts';
import { eventually, services } from '../harness.ts';
import { scratchHome } from './scratch.ts';

async function freshNamespace(connection: Connection): Promise<string> {
  const namespace = `t-${randomBytes(4).toString('hex')}`;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  await eventually(() => connection.operatorService.listSearchAttributes({ namespace }).then(() => true));
  return namespace;
}

it('names the namespace and the remedy when a foreign Temporal does not have it', async () => {
  const address = services().temporalAddress;
  using scratch = scratchHome({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'never-made' });
  await expect(startTemporal(scratch.settings)).rejects.toThrow(
    /^The namespace never-made of Temporal at .* Create it with: temporal operator namespace create --namespace never-made, or set TEMPORAL_NAMESPACE\.$/,
  );
});

it('says how to go on when the Temporal of the environment does not answer', async () => {
  using scratch = scratchHome({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
  await expect(startTemporal(scratch.settings)).rejects.toThrow(
    /^Temporal at 127\.0\.0\.1:1 does not answer .* or unset TEMPORAL_ADDRESS/,
  );
});

it('registers what a namespace lacks, and asks the operator where it may not', async () => {
  const connection = await Connection.connect({ address: services().temporalAddress });
  try {
    const namespace = await freshNamespace(connection);
    await ensureSearchAttributes(connection, namespace);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(zoneAttributes.map(({ name }) => name)));
    await expect(ensureSearchAttributes(connection, 'never-made')).rejects.toThrow(
      /Ask its operator to run: temporal operator search-attribute create --namespace never-made --name Market --type Keyword/,
    );
  } finally {
    await connection.close();
  }
});

it('refuses a namespace that uses one of our names for another type', async () => {
  const connection = await Connection.connect({ address: services().temporalAddress });
  try {
    const namespace = await freshNamespace(connection);
    // 2 is Keyword.
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries([['Surging', 2]]),
    });
    await expect(ensureSearchAttributes(connection, namespace)).rejects.toThrow(
      /another type: Surging \(must be Bool\)/,
    );
  } finally {
    await connection.close();
  }
});
