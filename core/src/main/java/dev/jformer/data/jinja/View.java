package dev.jformer.data.jinja;

import java.util.List;

/**
 * Items that can be gone through but not indexed: a dictionary's keys, values or items, or what a
 * lazy filter gives.
 *
 * @param name of a dictionary's view, such as {@code dict_items}; null for a lazy filter's items,
 *     whose number is not known
 */
record View(String name, List<Object> items) {
  static View lazy(List<Object> items) {
    return new View(null, items);
  }
}
