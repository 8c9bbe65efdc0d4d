/** 53 well-mixed bits, as two integers that V8 stores unboxed. */
export interface TextHash {
  /** 32 bits, as a signed number. */
  readonly low: number;
  /** 21 bits. */
  readonly high: number;
}

/** The hash of a text. Not for secrets. */
export function textHash(text: string): TextHash {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  return { low: mixed(a ^ (b >>> 15)), high: mixed(b ^ (a >>> 13)) >>> 11 };
}

/** The finaliser of MurmurHash3: each bit in changes each bit out about half of the times. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
