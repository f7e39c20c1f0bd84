/** A request that is refused with this status; the message is for the person who sent it. */
export class Refused extends Error {
  constructor(readonly status: number, message: string, readonly field?: string) {
    super(message);
  }
}
