import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../cli/context.ts';
import { registerUp, type UpOptions } from '../../cli/up.ts';

async function parse(...flags: string[]): Promise<UpOptions | string> {
  let options: UpOptions | undefined;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  registerUp(program, createContext({}), (_context, given) => {
    options = given;
    return Promise.resolve(0);
  });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    await program.parseAsync(['up', ...flags], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  return options ?? 'not started';
}

describe('equilibrium up', () => {
  it.each([
    ['--port', '0', 'a whole number from 1 to 65535'],
    ['--port', '65536', 'a whole number from 1 to 65535'],
    ['--port', '80.5', 'a whole number from 1 to 65535'],
    ['--port', '', 'a whole number from 1 to 65535'],
    ['--speed', '0', 'a number above 0'],
    ['--speed', 'fast', 'a number above 0'],
    ['--speed', 'Infinity', 'a number above 0'],
    ['--from', '25:00', 'a time of day is written as 17:00'],
    ['--from', 'noon', 'a time of day is written as 17:00'],
  ])('refuses %s %s', async (flag, value, sentence) => {
    expect(await parse(flag, value)).toContain(sentence);
  });

  it('passes on what can be used', async () => {
    expect(await parse('--port', '65535', '--speed', '0.5', '--from', '9:30')).toMatchObject({
      port: 65_535,
      speed: 0.5,
      from: '9:30',
    });
  });
});
