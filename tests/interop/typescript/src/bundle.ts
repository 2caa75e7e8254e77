/** Bundles the workflows once, so that no worker has to do it when it starts. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { BUNDLES, bundlePath } from './bundles';

async function main(): Promise<void> {
    for (const name of BUNDLES) {
        const { code } = await bundleWorkflowCode({
            workflowsPath: require.resolve(`./workflows/${name}`),
            // What turns failures into messages has to be inside, where workflows run.
            failureConverterPath:
                name === 'crossing' ? require.resolve('./crossing-failures') : undefined,
            logger: new DefaultLogger('WARN'),
        });
        await mkdir(path.dirname(bundlePath(name)), { recursive: true });
        await writeFile(bundlePath(name), code);
    }
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
