/** A request that is answered with an error; the message is for the person who made it. */
export class Refused extends Error {
  constructor(readonly status: number, message: string, readonly field?: string) {
    super(message);
  }
}
