/** The files that an Envoy reads of its own certificate: an SDS resource each. Pure. */

/** PEM texts. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** The names of the two resources. */
export const IDENTITY_SECRET = 'identity';
export const AUTHORITY_SECRET = 'authority';

const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

function sds(resource: object): string {
  return JSON.stringify({ resources: [{ '@type': SECRET_TYPE, ...resource }] }, undefined, 2);
}

export const identitySecret = ({ key, certificate }: KeyPair): string =>
  sds({
    name: IDENTITY_SECRET,
    tls_certificate: { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } },
  });

export const authoritySecret = (certificate: string): string =>
  sds({ name: AUTHORITY_SECRET, validation_context: { trusted_ca: { inline_string: certificate } } });
