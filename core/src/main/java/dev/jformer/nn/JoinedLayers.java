package dev.jformer.nn;

import java.util.List;
import java.util.Map;

/**
 * A module with linear layers that join several matrices in one, because one product is faster than
 * several: queries, keys and values, for example. Methods that treat layers one by one, such as
 * pruning by layer, ask it for the matrices.
 */
public interface JoinedLayers {
  /**
   * The rows of the matrices that a layer joins, in their order.
   *
   * @return number of rows of each matrix, by the name of the child that joins them
   */
  Map<String, List<Long>> joinedRows();
}
