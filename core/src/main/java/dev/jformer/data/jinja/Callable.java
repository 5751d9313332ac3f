package dev.jformer.data.jinja;

/** A function, method or macro of a template. */
@FunctionalInterface
interface Callable {
  /** Calls it; the frame is the caller's. */
  Object call(Arguments arguments, Frame frame);
}
