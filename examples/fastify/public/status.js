// @ts-check
/** @typedef {import('/mooring/client.js').CloseExplanation} CloseExplanation */
/** @typedef {Partial<Record<import('/mooring/client.js').CloseCauseName, (of: CloseExplanation) => string>>} Words */

/**
 * A line that says why the connection closed, when the next attempt comes, and what the person can do.
 *
 * @param {HTMLElement} line
 * @param {Words} words sentences for causes; without one, the sentence of `explainClose`
 * @param {() => void} connect connects now
 */
export function statusLine(line, words, connect) {
  /** @param {CloseExplanation} explanation */
  function closed(explanation) {
    const { cause, action, message, retry, delayMs } = explanation;
    const parts = [words[cause]?.(explanation) ?? message];
    if (retry) parts.push(delayMs < 5_000 ? 'Connecting again …' : `Connecting again at ${timeIn(delayMs)}.`);
    line.replaceChildren(parts.join(' '));
    line.className = retry ? 'waits' : action === 'continue' ? '' : 'bad';
    line.hidden = false;
    if (action === 'sign-in') line.append(' ', link('Log in', '/login'));
    else if (action === 'continue') line.append(' ', button(cause === 'replaced' ? 'Use it here' : 'Connect again'));
    else if (retry && delayMs >= 5_000) line.append(' ', button('Try now'));
  }

  /** @param {string} label */
  function button(label) {
    const made = document.createElement('button');
    made.textContent = label;
    made.addEventListener('click', () => {
      line.replaceChildren('Connecting …');
      connect();
    });
    return made;
  }

  return {
    closed,
    connected: () => {
      line.hidden = true;
    },
  };
}

/** @param {string} label @param {string} href */
function link(label, href) {
  return Object.assign(document.createElement('a'), { textContent: label, href });
}

/** @param {number} delayMs */
function timeIn(delayMs) {
  return new Date(Date.now() + delayMs).toLocaleTimeString();
}

/**
 * The element with this id.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no #${id}.`);
  return found;
}
