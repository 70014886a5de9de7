import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadKeys } from '../platform/keys.ts';
import { mintToken, type Role, roles } from '../platform/tokens.ts';
import { type CliContext, describe, print } from './context.ts';

interface TokenOptions {
  readonly role: Role;
  readonly subject: string;
  readonly hours: number;
  readonly json?: boolean;
}

export function registerToken(program: Command, context: CliContext): void {
  const command = program
    .command('token')
    .description('make an access token with the signing key of this installation')
    .addOption(new Option('--role <role>', 'what the bearer may do').choices(roles).makeOptionMandatory())
    .option('--subject <id>', 'the rider or driver it stands for; any name for the other roles', 'me')
    .option('--hours <n>', 'how long it is valid', hours, 24)
    .action(async (options: TokenOptions) => {
      const { authKeys, production } = keyPlace(context);
      const keys = loadKeys(authKeys, { production });
      const token = await mintToken(keys, options);
      const expiresAt = new Date(Date.now() + options.hours * 3_600_000).toISOString();
      print(options, { token, role: options.role, subject: options.subject, expires_at: expiresAt }, () => token);
    });
  describe(command, 'token --role rider --subject rider-7 --hours 1');
}

/** A token can be made while nothing runs, so the addresses of the services are not asked for. */
function keyPlace({ env, home }: CliContext) {
  return {
    authKeys: env['EQUILIBRIUM_AUTH_KEYS'] || `${home()}/keys.json`,
    production: env['NODE_ENV'] === 'production',
  };
}

function hours(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 24 * 365)
    throw new InvalidArgumentError('a number of hours up to a year');
  return value;
}
