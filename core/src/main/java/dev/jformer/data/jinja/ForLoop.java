package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.List;

/** A loop over the items of a value. */
final class ForLoop implements Statement {
  private final Target target;
  private final Expression items;
  private final Expression filter;
  private final Statement body;
  private final Statement otherwise;
  private final boolean recursive;

  /**
   * Creates a loop.
   *
   * @param filter says which items are taken; null for all
   * @param otherwise is carried out if there are no items
   * @param recursive whether the body may call the loop
   */
  ForLoop(
      Target target,
      Expression items,
      Expression filter,
      Statement body,
      Statement otherwise,
      boolean recursive) {
    this.target = target;
    this.items = items;
    this.filter = filter;
    this.body = body;
    this.otherwise = otherwise;
    this.recursive = recursive;
  }

  @Override
  public Flow run(Frame frame) {
    return run(items.value(frame), frame, 0);
  }

  private Flow run(Object value, Frame frame, int depth) {
    List<Object> taken = filtered(Values.items(value, frame.budget()), frame);
    if (taken.isEmpty()) {
      return otherwise.run(frame.inner());
    }
    Loop loop = new Loop(taken, depth);
    if (recursive) {
      loop.recurse((arguments, inner) -> again(arguments, inner, depth + 1));
    }
    for (int i = 0; i < taken.size(); i++) {
      frame.budget().step();
      loop.at(i);
      Frame inner = frame.inner();
      target.assign(taken.get(i), inner);
      inner.set("loop", loop);
      if (body.run(inner) == Flow.BREAK) {
        break;
      }
    }
    return Flow.NEXT;
  }

  private Object again(Arguments arguments, Frame frame, int depth) {
    frame.budget().enter();
    Frame inner = frame.capturing();
    run(arguments.require(0, "iterable"), inner, depth);
    frame.budget().leave();
    return inner.text();
  }

  private List<Object> filtered(List<Object> all, Frame frame) {
    if (filter == null) {
      return all;
    }
    List<Object> taken = new ArrayList<>();
    for (Object item : all) {
      Frame inner = frame.inner();
      target.assign(item, inner);
      if (Values.isTrue(filter.value(inner))) {
        taken.add(item);
      }
    }
    return taken;
  }
}
