/**
 * Measurements of speed. Everything is measured against something else in the same run, the two in
 * turn, because a machine's speed drifts: what counts is the ratio. {@link
 * dev.jformer.app.bench.HandWrittenStep} is the one class outside of the tensor package that calls
 * the binding directly: it is the peer that our layers are compared with.
 */
package dev.jformer.app.bench;
