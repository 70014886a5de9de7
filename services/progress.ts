import ora from 'ora';

/** Shows what takes longer than a second: one spinner on a terminal, plain lines elsewhere. */
export interface Progress {
  readonly step: <T>(label: string, work: () => Promise<T>) => Promise<T>;
  /** A line that stays. */
  readonly say: (line: string) => void;
}

const patienceMs = 1_000;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  // Some terminals of tools have no width, which a spinner cannot draw in.
  return stream.isTTY && stream.columns > 0 ? spinner(stream) : plainLines(stream);
}

export const silentProgress: Progress = { step: (_label, work) => work(), say: () => {} };

function plainLines(stream: NodeJS.WriteStream): Progress {
  const say = (line: string) => void stream.write(`${line}\n`);
  return {
    say,
    async step(label, work) {
      const began = Date.now();
      const timer = setTimeout(() => say(`${label} …`), patienceMs);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
        const tookMs = Date.now() - began;
        if (tookMs > patienceMs) say(`${label}: ${(tookMs / 1000).toFixed(1)} s`);
      }
    },
  };
}

/** Steps that run at the same time share the one line. */
function spinner(stream: NodeJS.WriteStream): Progress {
  const active = new Map<string, number>();
  const wheel = ora({ stream, discardStdin: false });
  let clock: NodeJS.Timeout | undefined;
  const draw = () => {
    const parts = [...active].map(([label, began]) => `${label} ${Math.round((Date.now() - began) / 1000)} s`);
    wheel.text = parts.join(' · ');
  };
  const begin = (label: string) => {
    active.set(label, Date.now());
    draw();
    wheel.start();
    clock ??= setInterval(draw, 500);
  };
  const end = (label: string) => {
    active.delete(label);
    if (active.size > 0) return draw();
    clearInterval(clock);
    clock = undefined;
    wheel.stop();
  };
  const say = (line: string) => {
    const spinning = wheel.isSpinning;
    wheel.stop();
    stream.write(`\r\u001b[2K${line}\n`); // the row may hold a status line
    if (spinning) wheel.start();
  };
  return {
    say,
    async step(label, work) {
      const began = Date.now();
      begin(label);
      try {
        return await work();
      } finally {
        end(label);
        const tookMs = Date.now() - began;
        if (tookMs > patienceMs) say(`${label}: ${(tookMs / 1000).toFixed(1)} s`);
      }
    },
  };
}
