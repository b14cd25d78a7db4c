/**
 * Errors
 *
 * All are a MultiprocError with a `code` that never changes. Arguments that make no sense are the built-in `TypeError` and
 * `RangeError`, with a `code`, too. Which failure gives which error stands in [When things die](../../../docs/when-things-die.md).
 *
 * @module
 */

export * from "../../../src/core/errors.ts";
