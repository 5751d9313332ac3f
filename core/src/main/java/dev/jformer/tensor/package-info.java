/**
 * Tensors with automatic differentiation, on libtorch.
 *
 * <p>This is the only package that touches the native binding ({@code org.bytedeco}); everything
 * above it sees {@link dev.jformer.tensor.Tensor}, {@link dev.jformer.tensor.Functional} and {@link
 * dev.jformer.tensor.Scope}. It takes three troubles of using libtorch from Java away: thread and
 * BLAS defaults that cost a factor of three ({@link dev.jformer.tensor.Engine}), native memory that
 * waits for the garbage collector ({@link dev.jformer.tensor.Scope}), and C++ errors that do not
 * say which tensors were involved ({@link dev.jformer.tensor.TensorException}).
 */
package dev.jformer.tensor;
