/** The header `authorization` with a token. */
export const BEARER = /^Bearer +(\S+)$/i;
