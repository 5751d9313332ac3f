package dev.jformer.data.jinja;

/** A part of a template that can be called, and gives the text that it writes. */
final class Macro implements Callable {
  private final String name;
  private final Parameters parameters;
  private final Statement body;

  /** Where it is defined, whose variables it sees. */
  private final Frame home;

  Macro(String name, Parameters parameters, Statement body, Frame home) {
    this.name = name;
    this.parameters = parameters;
    this.body = body;
    this.home = home;
  }

  @Override
  public Object call(Arguments arguments, Frame frame) {
    return call(arguments, frame, null);
  }

  /**
   * Calls it.
   *
   * @param caller the content of a call block; null for none
   */
  String call(Arguments arguments, Frame frame, Macro caller) {
    Budget budget = frame.budget();
    int line = budget.line();
    budget.enter();
    Frame inner = home.capturing();
    parameters.bind(name, arguments, inner);
    if (caller != null) {
      inner.set("caller", caller);
    }
    body.run(inner);
    budget.leave();
    budget.at(line);
    return inner.text();
  }
}
