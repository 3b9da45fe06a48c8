/** Spark's legacy mode writes dates before 1582-10-15 as days of the Julian calendar; here they become days of the Gregorian one, with the same date. */
import type { Column } from '../../batch.ts'
import type { Memory } from '../../memory.ts'

/** 1582-10-15, the first day of the Gregorian calendar. */
const SWITCH = -141427
const DAY = 86_400_000_000n

/** Moves old dates and timestamps of a column that was just decoded, in place. Times of day are taken as UTC. */
export function fromJulian({ type, data, length }: Column, memory: Memory): void {
  if (data.kind !== 'flat') return
  if (type.kind === 'date') {
    const days = memory.i32.subarray(data.values / 4, data.values / 4 + length)
    for (let i = 0; i < length; i++) days[i] = gregorianDay(days[i] ?? 0)
  } else if (type.kind === 'timestamp' || type.kind === 'timestamptz') {
    const values = memory.i64.subarray(data.values / 8, data.values / 8 + length)
    for (let i = 0; i < length; i++) {
      const micros = values[i] ?? 0n
      if (micros >= BigInt(SWITCH) * DAY) continue
      const time = ((micros % DAY) + DAY) % DAY
      values[i] = BigInt(gregorianDay(Number((micros - time) / DAY))) * DAY + time
    }
  }
}

/** The day since 1970 that has, in the Gregorian calendar, the date that `day` has in the Julian calendar. */
function gregorianDay(day: number): number {
  if (day >= SWITCH) return day
  // Years begin in March, so that the leap day is the last; day 0 is 0000-03-01 of the Julian calendar.
  const julian = day + 719470, cycle = Math.floor(julian / 1461), rest = julian - cycle * 1461
  const yearOfCycle = Math.min(Math.floor(rest / 365), 3), year = 4 * cycle + yearOfCycle, dayOfYear = rest - 365 * yearOfCycle
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400) + dayOfYear - 719468
}
