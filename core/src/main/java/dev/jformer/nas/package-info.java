/**
 * Search for architectures without training: scores of candidates, spaces of configurations, and
 * evolution. {@link dev.jformer.nas.StudentSearch} ties them together.
 */
package dev.jformer.nas;
