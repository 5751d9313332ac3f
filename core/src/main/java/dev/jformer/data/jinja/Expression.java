package dev.jformer.data.jinja;

/** Something in a template that has a value. */
@FunctionalInterface
interface Expression {
  /**
   * Its value: null (Python's None), {@link Undefined}, a Boolean, a Long, a Double, a String, a
   * List, a Map, a {@link Namespace}, a {@link View} or something {@link Callable}.
   */
  Object value(Frame frame);
}
