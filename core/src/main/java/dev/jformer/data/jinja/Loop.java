package dev.jformer.data.jinja;

import java.util.List;

/** The variable {@code loop} inside of a loop. */
final class Loop implements Callable {
  private final List<Object> items;
  private final int depth;
  private int index;
  private Callable recursion;
  private Object lastChecked = new Undefined("nothing was compared");

  Loop(List<Object> items, int depth) {
    this.items = items;
    this.depth = depth;
  }

  void at(int newIndex) {
    index = newIndex;
  }

  /** Lets the body call the loop. */
  void recurse(Callable again) {
    recursion = again;
  }

  @Override
  public Object call(Arguments arguments, Frame frame) {
    if (recursion == null) {
      throw new JinjaException("a loop is called that is not recursive");
    }
    return recursion.call(arguments, frame);
  }

  /** An attribute; null if there is none. */
  Object attribute(String name) {
    int size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) (size - index);
      case "revindex0" -> (long) (size - index - 1);
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> (long) size;
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "cycle" -> (Callable) (arguments, frame) -> cycle(arguments.positional());
      case "changed" -> (Callable) (arguments, frame) -> changed(arguments, frame.budget());
      default -> null;
    };
  }

  /** The item before or after this one, which may be None. */
  Object neighbour(String name) {
    int other = name.equals("previtem") ? index - 1 : index + 1;
    return other >= 0 && other < items.size()
        ? items.get(other)
        : new Undefined(other < 0 ? "there is no previous item" : "there is no next item");
  }

  private Object cycle(List<Object> values) {
    if (values.isEmpty()) {
      throw new JinjaException("loop.cycle needs values");
    }
    return values.get(index % values.size());
  }

  private boolean changed(Arguments arguments, Budget budget) {
    Object now = new Tuple(arguments.positional());
    boolean same = Values.equal(now, lastChecked, budget);
    lastChecked = now;
    return !same;
  }
}
