/** All workflows that scenarios start, save for the variants of one in the files beside. */

export * from './activities';
export * from './lifecycle';
export * from './messages';
export * from './updates';

export { greeting, longHistory, echoThroughActivity, surviveWorker, stuckTask } from './durability';
