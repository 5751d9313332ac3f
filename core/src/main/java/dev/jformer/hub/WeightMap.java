package dev.jformer.hub;

import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Maps a weight of our model to the weights of a Hugging Face model that it consists of.
 *
 * @param ours its dotted name
 * @param theirs their names; several are joined along the first dimension
 * @param rows number of rows of each of theirs; empty if there is only one
 * @param order the order of its values in the file, if there is only one
 */
record WeightMap(String ours, List<String> theirs, List<Long> rows, StoredOrder order) {
  static WeightMap same(String ours, String theirs) {
    return ordered(ours, theirs, StoredOrder.SAME);
  }

  /** A transposed matrix, as in GPT-2. */
  static WeightMap transposed(String ours, String theirs) {
    return ordered(ours, theirs, StoredOrder.TRANSPOSED);
  }

  static WeightMap ordered(String ours, String theirs, StoredOrder order) {
    return new WeightMap(ours, List.of(theirs), List.of(), order);
  }

  static WeightMap joined(String ours, List<String> theirs, List<Long> rows) {
    return new WeightMap(ours, theirs, rows, StoredOrder.SAME);
  }

  /** The same with other names of their weights. */
  WeightMap renamed(UnaryOperator<String> rename) {
    return new WeightMap(ours, theirs.stream().map(rename).toList(), rows, order);
  }

  /** The shapes of theirs, in the order of their names, for ours of this shape. */
  List<Shape> shapes(Shape shape) {
    if (theirs.size() == 1) {
      return List.of(order.stored(shape));
    }
    return rows.stream()
        .map(count -> shape.rank() == 1 ? Shape.of(count) : Shape.of(count, shape.size(1)))
        .toList();
  }

  /** Builds our weight from theirs, which must have the right shapes. */
  Tensor toOurs(Function<String, Tensor> tensors) {
    if (theirs.size() == 1) {
      return order.toOurs(tensors.apply(theirs.get(0)));
    }
    return Tensor.cat(0, theirs.stream().map(tensors).toArray(Tensor[]::new));
  }

  /** Splits our weight into theirs, in the order of their names. */
  List<Tensor> toTheirs(Tensor tensor) {
    if (theirs.size() == 1) {
      return List.of(order.toStored(tensor).contiguous());
    }
    List<Tensor> parts = new ArrayList<>();
    long start = 0;
    for (long count : rows) {
      parts.add(tensor.narrow(0, start, count).contiguous());
      start += count;
    }
    return parts;
  }
}
