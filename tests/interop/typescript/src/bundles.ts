/** The sets of workflows that a worker can have; each is a file in `workflows` of that name. */

import path from 'node:path';

export const BUNDLES = [
    'main',
    'before-patch',
    'after-patch',
    'patch-deprecated',
    'doomed',
    'crossing',
] as const;

export type Bundle = (typeof BUNDLES)[number];

export function bundlePath(bundle: Bundle): string {
    return path.join(__dirname, 'bundles', `${bundle}.js`);
}
