/** Who wants it? Subscriptions and retained messages. @module */
export * from './router.ts';
