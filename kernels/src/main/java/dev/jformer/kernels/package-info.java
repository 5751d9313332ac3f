/**
 * Kernels in the Vector API for products of few rows, as in decoding. Internal: {@code
 * dev.jformer.tensor} uses them where {@link dev.jformer.kernels.VectorApi#isUsed} says so, and
 * libtorch's elsewhere.
 */
package dev.jformer.kernels;
