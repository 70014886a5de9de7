import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

type Argument = string | number | Buffer;

/** A Lua script in `db/lua/`, sent once and called by its hash afterwards. */
export interface Script {
  readonly name: string;
  run(redis: Redis, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
}

/** Reads `db/lua/<name>.lua`; the caller parses the answer. */
export function loadScript(name: string): Script {
  const source = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
  const hash = createHash('sha1').update(source).digest('hex');
  return {
    name,
    async run(redis, keys, args) {
      try {
        return await redis.evalsha(hash, keys.length, ...keys, ...args);
      } catch (error) {
        // A restarted or flushed Redis has forgotten the script.
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return redis.eval(source, keys.length, ...keys, ...args);
      }
    },
  };
}
