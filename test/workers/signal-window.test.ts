import { describe, expect, it } from 'vitest';
import { SignalWindow } from '../../workers/ingestion/signal-window.ts';

function late(window: SignalWindow, times: number, ageMs = 900): void {
  for (let i = 0; i < times; i += 1) {
    for (let n = 0; n < 10; n += 1) window.age(ageMs);
    window.adjust();
  }
}

describe('the signal window', () => {
  it('is 2 s for a small city and 5 s from 300 zones on', () => {
    const window = new SignalWindow();
    window.zones(299);
    expect(window.lengthMs).toBe(2_000);
    window.zones(300);
    expect(window.lengthMs).toBe(5_000);
  });

  it('widens while prices come late, to 30 s at most, and narrows again when they do not', () => {
    const window = new SignalWindow();
    late(window, 1);
    expect(window.lengthMs).toBe(3_000);
    late(window, 20);
    expect(window.lengthMs).toBe(30_000);
    late(window, 40, 20);
    expect(window.lengthMs).toBe(2_000);
  });

  it('is not impressed by one late price among many, nor by silence', () => {
    const window = new SignalWindow();
    for (let n = 0; n < 99; n += 1) window.age(20);
    window.age(9_000);
    window.adjust();
    window.adjust();
    expect(window.lengthMs).toBe(2_000);
  });
});
