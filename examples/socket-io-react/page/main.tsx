import { StrictMode, useState, type SubmitEvent } from 'react';
import { createRoot } from 'react-dom/client';
import { useConnection } from './connection.js';
import { Status } from './status.js';

function App() {
  const [token, setToken] = useState(localStorage.getItem('token'));
  const keep = (given: string | null) => {
    if (given === null) localStorage.removeItem('token');
    else localStorage.setItem('token', given);
    history.replaceState(null, '', given === null ? '/login' : '/');
    setToken(given);
  };
  return token === null ? <LogIn onToken={keep} /> : <Vote token={token} onLogOut={() => keep(null)} />;
}

function Vote({ token, onLogOut }: { readonly token: string; readonly onLogOut: () => void }) {
  const connection = useConnection(token);
  const { isOpen, counts, vote } = connection;
  const logOut = async () => {
    await post('/logout', { token });
    onLogOut();
  };
  return (
    <>
      <header>
        <h1>Is it a good idea?</h1>
        <button onClick={() => void logOut()}>Log out</button>
      </header>
      <main>
        <Status {...connection} logIn={onLogOut} />
        <ul id="votes">
          {counts.map(({ answer, count }) => (
            <li key={answer}>
              <button disabled={!isOpen} onClick={() => vote(answer)}>
                {answer}
              </button>
              <output>{count}</output>
            </li>
          ))}
        </ul>
      </main>
      <footer>Each user has one vote, and may have two pages open.</footer>
    </>
  );
}

function LogIn({ onToken }: { readonly onToken: (token: string) => void }) {
  const [hasFailed, setFailed] = useState(false);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const answer = await post('/login', Object.fromEntries(new FormData(event.currentTarget)));
    if (answer.ok) onToken(((await answer.json()) as { token: string }).token);
    else setFailed(true);
  };
  return (
    <>
      <header>
        <h1>Log in</h1>
      </header>
      <main>
        {hasFailed && <p className="bad">This name and this password do not belong together.</p>}
        <form className="login" onSubmit={(event) => void submit(event)}>
          <label htmlFor="name">Name</label>
          <input id="name" name="name" required autoComplete="username" autoFocus />
          <label htmlFor="password">Password</label>
          <input id="password" name="password" type="password" required autoComplete="current-password" />
          <button>Log in</button>
        </form>
        <p>
          Try <b>ada</b> or <b>bob</b>. The password is the name.
        </p>
      </main>
    </>
  );
}

function post(path: string, body: object): Promise<Response> {
  return fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

createRoot(document.body.appendChild(document.createElement('div'))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
