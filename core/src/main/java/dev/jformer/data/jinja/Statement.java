package dev.jformer.data.jinja;

import java.util.List;

/** Something in a template that is carried out. */
@FunctionalInterface
interface Statement {
  /** What comes after a statement. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Carries it out, and says whether the loop around it goes on. */
  Flow run(Frame frame);

  /** Several statements as one. */
  static Statement all(List<Statement> statements) {
    return frame -> {
      for (Statement statement : statements) {
        Flow flow = statement.run(frame);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }
}
