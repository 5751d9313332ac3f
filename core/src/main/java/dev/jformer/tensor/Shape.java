package dev.jformer.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The sizes of a tensor's dimensions, outermost first. Immutable. */
public final class Shape {
  private final long[] sizes;

  private Shape(long[] sizes) {
    this.sizes = sizes;
  }

  /** A shape of the given sizes; none of them makes the shape of a scalar. */
  public static Shape of(long... sizes) {
    return new Shape(sizes.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return sizes.length;
  }

  /**
   * Size of one dimension; negative counts from the last.
   *
   * @throws TensorException if there is no such dimension
   */
  public long size(int dim) {
    int index = dim < 0 ? dim + sizes.length : dim;
    if (index < 0 || index >= sizes.length) {
      throw new TensorException("dimension " + dim + " of " + this + " does not exist");
    }
    return sizes[index];
  }

  /** Number of elements. */
  public long elements() {
    long product = 1;
    for (long size : sizes) {
      product = Math.multiplyExact(product, size);
    }
    return product;
  }

  /** The sizes, as a copy. */
  public long[] toArray() {
    return sizes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /** For example {@code [2x3x4]}. */
  @Override
  public String toString() {
    return Arrays.stream(sizes).mapToObj(Long::toString).collect(Collectors.joining("x", "[", "]"));
  }
}
