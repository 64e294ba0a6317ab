/** What is told of a gateway beyond its stream. */

export interface CertificateStatus {
  /** `control-plane` or a gateway's node id. */
  readonly name: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAt: string;
}
