/** An authenticator of Chromium's developer tools, which keeps passkeys. @module */
import type { Browser } from './browser.ts';

/** An authenticator whose person is always there. */
export interface Authenticator {
  /** Whether that person is verified from now on, as by a fingerprint. */
  setVerified(isUserVerified: boolean): Promise<void>;
}

/** Plugs one into the browser. */
export async function addAuthenticator({
  context,
  page,
}: Pick<Browser, 'context' | 'page'>): Promise<Authenticator> {
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    async setVerified(isUserVerified) {
      await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
  };
}
