/** Of the whole: the control plane, its API and the command line. */
export const VERSION = '0.1.0';
