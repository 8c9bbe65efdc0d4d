import { Injectable } from '@nestjs/common';

/** The addresses of this application. Behind a proxy, add the one that browsers see: `https://auction.example`. */
@Injectable()
export class Origins {
  readonly #own = new Set<string>();

  add(...origins: string[]): void {
    for (const origin of origins) this.#own.add(origin);
  }

  has(origin: string | undefined): boolean {
    return origin !== undefined && this.#own.has(origin);
  }
}
