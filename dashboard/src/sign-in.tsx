import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, serverState, signIn, tryAgain } from './api.js';
import { shown } from './format.js';
import { useStore } from './store.js';

/** The form for the token, which stays in this tab. */
export function SignIn() {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const { isTokenRefused } = useStore(serverState);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (): Promise<void> => {
    setSending(true);
    try {
      await signIn(token.trim());
    } catch (error) {
      setTrouble(troubleOf(error));
      setSending(false);
    }
  };
  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>Sign in</h1>
      {isTokenRefused && (
        <p class="banner warn" role="alert">
          The server no longer accepts your token. It may have been replaced.
        </p>
      )}
      <LoginLink />
      <p class="note">This server needs a token. Only this tab keeps it, until you sign out or close the tab.</p>
      <label for="token">Token</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        required
        ref={field}
        value={token}
        aria-invalid={trouble !== null}
        aria-describedby="token-trouble"
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <p id="token-trouble" class="trouble" role="alert" hidden={trouble === null}>
        {trouble}
      </p>
      <button type="submit" class="primary" disabled={isSending || token.trim() === ''}>
        {isSending ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  );
}

/** Instead of a page whose data the server refuses: to nobody who is signed in, or to somebody who may not look. */
export function ShutOut({ problem }: { readonly problem: ApiError }) {
  return (
    <section class="card sign-in">
      <h1>{problem.status === 401 ? 'Not signed in' : 'No access'}</h1>
      <p role="alert">
        {shown(problem.message)} {shown(problem.hint ?? '')}
      </p>
      <LoginLink />
      <button type="button" class="primary" onClick={tryAgain}>
        Try again
      </button>
    </section>
  );
}

/** To the login of the application that this page belongs to, if the server tells where it is. */
function LoginLink() {
  const { loginUrl } = useStore(serverState);
  if (loginUrl === null) return null;
  return (
    <p>
      <a href={loginUrl}>Sign in to the application</a>
    </p>
  );
}

function troubleOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'This cannot be a token: it has characters that no header can carry.';
  return error.status === 401 ? 'The server does not know this token.' : shown(error.message);
}
