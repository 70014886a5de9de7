import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { ZoneState } from '../domain/zone.ts';
import { Problem } from './problem.ts';

const answerWithinMs = 2_000;
const retryAfterSeconds = 15;
/** gRPC status numbers: cancelled, deadline exceeded. */
const timeouts: readonly number[] = [1, 4];

/** What a zone's workflow knows now; undefined when none runs, as for a zone that sleeps or never woke. */
export async function askZone(temporal: Client, workflowId: string): Promise<ZoneState | undefined> {
  try {
    const handle = temporal.workflow.getHandle(workflowId);
    return await temporal.withDeadline(Date.now() + answerWithinMs, () => handle.query<ZoneState>('state'));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw new Problem(timedOut(error) ? 'workflow-timeout' : 'workflow-unavailable', {
      retryAfterSeconds,
      cause: error,
    });
  }
}

function timedOut(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  return isGrpcServiceError(cause) && timeouts.includes(cause.code);
}
