/**
 * The sign-in page. It keeps nothing: the session is a cookie that no script can read, and what it
 * shows comes from the API each time.
 * @module
 */

/** @type {(id: string) => HTMLElement} */
const element = (id) => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
};

const show = (id, isShown) => {
  element(id).hidden = !isShown;
};

const say = (id, text) => {
  element(id).textContent = text;
  show(id, text !== '');
};

/** A refusal of the API, in its own words. */
class Problem extends Error {
  constructor({ message = 'It did not work.', fix = '' } = {}) {
    super(`${message} ${fix}`.trim());
  }
}

/** Asks the API; gives the status and what it answered. */
async function ask(method, path, body) {
  const headers = method === 'POST' ? { 'content-type': 'application/json' } : {};
  const text = method === 'POST' ? JSON.stringify(body ?? {}) : undefined;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: text, credentials: 'same-origin' });
  } catch {
    throw new Problem({ message: 'The server cannot be reached.', fix: 'Try again.' });
  }
  const value = answer.status === 204 ? undefined : await answer.json();
  if (!answer.ok) throw new Problem(value?.error);
  return { status: answer.status, value };
}

const get = async (path) => (await ask('GET', path)).value;
const post = async (path, body) => (await ask('POST', path, body)).value;

/** Runs what somebody asked for; a second click waits until the first is done. */
async function run(control, act) {
  say('problem', '');
  say('notice', '');
  const buttons = [...document.querySelectorAll('button')];
  for (const button of buttons) button.disabled = true;
  try {
    await act();
  } catch (error) {
    say('problem', problemText(error));
  } finally {
    for (const button of buttons) button.disabled = false;
    if (control.isConnected) control.focus();
  }
}

function problemText(error) {
  if (error instanceof Problem) return error.message;
  // What a browser says when somebody closes its window, or an authenticator takes too long.
  if (error instanceof DOMException && error.name === 'NotAllowedError') {
    return 'The passkey was not used: it was canceled, or took too long. Try again.';
  }
  if (error instanceof DOMException && error.name === 'InvalidStateError') {
    return 'This device has a passkey for you already.';
  }
  return `The browser could not do it: ${error instanceof Error ? error.message : String(error)}`;
}

const onClick = (id, act) => {
  element(id).addEventListener('click', (event) => void run(event.currentTarget, act));
};

/** Calls `act` with what stands in the fields of a form, which it then empties. */
const onSubmit = (id, act) => {
  const form = element(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    void run(form.querySelector('button[type=submit]'), async () => {
      await act(fields);
      form.reset();
    });
  });
};

// Which part of the page is there

let pending = '';
let methods = { hasOidc: false, isSignedIn: false, origin: location.origin };

function showOnly(part, title) {
  for (const id of ['sign-in', 'code', 'account']) show(id, id === part);
  const heading = element('title');
  heading.textContent = title;
  document.title = `${title} · Holdfast`;
  heading.focus();
}

function showSignIn() {
  const problem = passkeyProblem();
  show('use-passkey', problem === '');
  say('no-passkeys', problem);
  show('use-oidc', methods.hasOidc);
  showOnly('sign-in', 'Sign in to Holdfast');
}

/** Why there can be no passkeys in this place; empty when there can. */
function passkeyProblem() {
  if (methods.passkeyHost === undefined) {
    return 'Passkeys need a host name, and this server has an IP address only: start it with --host NAME.';
  }
  if (location.origin !== methods.origin) {
    return `Passkeys work at ${methods.origin}/sign-in only.`;
  }
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON === undefined) {
    return 'This browser is too old for passkeys.';
  }
  return '';
}

/** Goes on after a step: to the code, or to the account. */
async function goOn({ status, value }) {
  if (status === 202) {
    ({ pending } = value);
    showOnly('code', 'Sign in to Holdfast');
    element('one-time-code').focus();
    return;
  }
  await showAccount();
}

// Passkeys

async function askAuthenticator(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  return credential.toJSON();
}

async function makePasskey(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  return credential.toJSON();
}

onClick('use-passkey', async () => {
  const credential = await askAuthenticator(await post('/v1/sign-in/passkey/options'));
  await goOn(await ask('POST', '/v1/sign-in/passkey', { credential }));
});

onSubmit('passkey-form', async ({ name }) => {
  const credential = await makePasskey(await post('/v1/me/passkey-options'));
  const { recoveryCodes } = await post('/v1/me/passkeys', { name, credential });
  await showAccount();
  showRecoveryCodes(recoveryCodes);
  say('notice', 'The passkey is added. Other sessions of yours have ended.');
});

// Codes and passwords

onSubmit('password-form', async (fields) => goOn(await ask('POST', '/v1/sign-in', fields)));

onSubmit('code-form', async ({ code }) => {
  await goOn(await ask('POST', '/v1/sign-in/code', { pending, code }));
});

onClick('code-back', () => Promise.resolve(showSignIn()));

onSubmit('invitation-form', async ({ invitation }) => {
  await goOn(await ask('POST', '/v1/sign-in/invitation', { code: invitation }));
});

onSubmit('new-password-form', async ({ password }) => {
  await post('/v1/me/password', { password });
  await showAccount();
  say('notice', 'The password is set. Other sessions of yours have ended.');
});

onClick('offer-totp', async () => {
  const { secret, qr } = await post('/v1/me/totp');
  element('totp-qr').src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
  element('totp-secret').textContent = secret.replaceAll(/(.{4})/g, '$1 ').trim();
  show('totp-form', true);
});

onSubmit('totp-form', async ({ code }) => {
  const { recoveryCodes } = await post('/v1/me/totp/confirm', { code });
  show('totp-form', false);
  await showAccount();
  showRecoveryCodes(recoveryCodes);
  say('notice', 'The authenticator app is set up. Other sessions of yours have ended.');
});

onClick('remove-totp', async () => {
  await ask('DELETE', '/v1/me/totp');
  await showAccount();
});

onClick('new-recovery-codes', async () => {
  showRecoveryCodes((await post('/v1/me/recovery-codes')).recoveryCodes);
  await showAccount();
});

function showRecoveryCodes(codes) {
  if (codes.length === 0) return;
  element('recovery-codes').textContent = codes.join('\n');
  show('recovery', true);
  // They are shown only now, and may stand below what the screen shows.
  setTimeout(() => element('recovery').scrollIntoView({ block: 'center' }), 0);
}

// Showing a second factor again

onClick('step-up-passkey', async () => {
  const credential = await askAuthenticator(await post('/v1/step-up/options'));
  await post('/v1/step-up', { credential });
  await showAccount();
});

onSubmit('step-up-form', async ({ code }) => {
  await post('/v1/step-up', { code });
  await showAccount();
});

// The account

async function showAccount() {
  const me = await get('/v1/me');
  const factors = await get('/v1/me/factors');
  const { sessions } = await get('/v1/me/sessions');
  const isIncomplete = me.needsSecondFactor === true;
  const name = me.principal.replace(/^person:/, '');
  element('who').textContent = `You are ${name} (${me.role}).`;
  // For password managers, which otherwise do not know whose password it is.
  element('new-password-name').value = name;
  show('incomplete', isIncomplete);
  showStepUp(me, factors);
  showFactors(factors);
  list('passkeys', factors.passkeys, passkeyItem);
  list('sessions', sessions, sessionItem);
  showOnly('account', isIncomplete ? 'Set up your sign-in' : 'Your sign-in');
}

function showStepUp({ steppedUpAt }, { hasTotp, hasPassword, passkeys }) {
  show('step-up', hasTotp || passkeys.length > 0);
  show('step-up-passkey', passkeys.length > 0 && passkeyProblem() === '');
  show('step-up-form', hasTotp || hasPassword);
  const at = steppedUpAt === undefined ? '' : `Last confirmed at ${timeText(steppedUpAt)}.`;
  say('stepped-up', at);
}

function showFactors({ hasPassword, hasTotp, passkeys, recoveryCodesLeft }) {
  const problem = passkeyProblem();
  show('passkey-form', problem === '');
  if (problem !== '') element('passkey-hint').textContent = problem;
  const password = hasPassword ? 'You have a password' : 'You have no password';
  const app = hasTotp ? 'an authenticator app' : 'no authenticator app';
  element('password-state').textContent =
    `${password} and ${app}; ${recoveryCodesLeft} recovery codes are left.`;
  show('remove-totp', hasTotp);
  show('new-recovery-codes', hasPassword && (hasTotp || passkeys.length > 0));
}

function passkeyItem({ id, name, createdAt, lastUsedAt, isSynced }) {
  const used = lastUsedAt === undefined ? 'not used yet' : `last used ${timeText(lastUsedAt)}`;
  const kind = isSynced ? 'synced' : 'on one device';
  return {
    text: `${name}: ${kind}, added ${timeText(createdAt)}, ${used}`,
    action: 'Remove',
    act: () => ask('DELETE', `/v1/me/passkeys/${id}`),
  };
}

function sessionItem({ id, by, address, lastUsedAt, isCurrent }) {
  const here = isCurrent ? ' (this one)' : '';
  return {
    text: `${address}, by ${by}, last used ${timeText(lastUsedAt)}${here}`,
    action: isCurrent ? undefined : 'End',
    act: () => ask('DELETE', `/v1/me/sessions/${id}`),
  };
}

function list(id, things, itemOf) {
  const items = things.map((thing) => {
    const { text, action, act } = itemOf(thing);
    const item = document.createElement('li');
    item.textContent = text;
    if (action !== undefined) item.append(actionButton({ text, action, act }));
    return item;
  });
  element(id).replaceChildren(...items);
}

function actionButton({ text, action, act }) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = action;
  button.setAttribute('aria-label', `${action}: ${text}`);
  button.addEventListener('click', () => {
    void run(button, async () => {
      await act();
      await showAccount();
    });
  });
  return button;
}

const timeText = (iso) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

onClick('sign-out', async () => {
  await post('/v1/sign-out');
  showSignIn();
});

// The start

async function start() {
  // What stands behind the # is for this page alone: it must not stay in the history.
  const hash = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  methods = await get('/v1/sign-in/methods');
  element('host').textContent = location.host;
  const invitation = new URLSearchParams(hash).get('invitation');
  if (methods.isSignedIn && invitation === null) return showAccount();
  showSignIn();
  if (invitation !== null) {
    // Somebody has to press the button: what looks at links in mails must not use it up.
    element('invitations').open = true;
    element('invitation').value = invitation;
    element('invitation').focus();
    say('notice', 'You are invited. Press "Join" to set up how you sign in.');
  }
  if (hash === 'oidc-refused') {
    say('problem', 'Your organization did not let you in, or it gives you no role here.');
  }
}

const begin = () => start().catch((error) => say('problem', problemText(error)));
// A link that is opened in the tab where this page is already changes what is behind the # only.
addEventListener('hashchange', () => {
  if (location.hash !== '') void begin();
});
void begin();
