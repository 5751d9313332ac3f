package dev.jformer.data.jinja;

import dev.jformer.data.jinja.Statement.Flow;
import dev.jformer.data.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads a template's text and blocks. */
final class TemplateParser {
  private final Tokens tokens;
  private final ExpressionParser expressions;

  private TemplateParser(List<Token> all) {
    this.tokens = new Tokens(all);
    this.expressions = new ExpressionParser(tokens);
  }

  /**
   * Reads a template.
   *
   * @throws JinjaException if it is not well-formed, or has a block that is not supported
   */
  static Statement parse(String source) {
    TemplateParser parser = new TemplateParser(Lexer.tokens(source));
    Statement all = parser.until(Set.of());
    if (!parser.tokens.look().is(Kind.END)) {
      throw parser.tokens.unexpected("the end of the template");
    }
    return all;
  }

  /** The statements up to a block with one of these names, whose name is the next token. */
  private Statement until(Set<String> ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (!tokens.look().is(Kind.END)) {
      Token token = tokens.next();
      if (token.is(Kind.DATA)) {
        String text = token.text();
        statements.add(
            frame -> {
              frame.write(text);
              return Flow.NEXT;
            });
      } else if (token.is(Kind.VARIABLE_BEGIN)) {
        statements.add(output(token.line()));
      } else if (tokens.look().is(Kind.NAME) && ends.contains(tokens.look().text())) {
        tokens.leave();
        return Statement.all(statements);
      } else {
        statements.add(block(token.line()));
      }
    }
    if (!ends.isEmpty()) {
      throw tokens.unexpected(
          "the block '" + String.join("' or '", new java.util.TreeSet<>(ends)) + "'");
    }
    tokens.leave();
    return Statement.all(statements);
  }

  private Statement output(int line) {
    Expression expression = expressions.tuple();
    tokens.expect(Kind.VARIABLE_END, "'}}'");
    return frame -> {
      frame.budget().at(line);
      frame.write(Text.of(expression.value(frame), frame.budget()));
      return Flow.NEXT;
    };
  }

  private Statement block(int line) {
    String name = tokens.name();
    Statement statement =
        switch (name) {
          case "if" -> condition();
          case "for" -> loop();
          case "set" -> assignment();
          case "macro" -> macro();
          case "call" -> callBlock();
          case "filter" -> filterBlock();
          case "with" -> with();
          case "generation" -> body("endgeneration");
          case "break" -> flow(Flow.BREAK);
          case "continue" -> flow(Flow.CONTINUE);
          default ->
              throw new JinjaException(
                  "line " + line + " has the block '" + name + "', which is not supported");
        };
    return frame -> {
      frame.budget().at(line);
      frame.budget().step();
      return statement.run(frame);
    };
  }

  private void endBlock() {
    tokens.expect(Kind.BLOCK_END, "'%}'");
  }

  private Statement flow(Flow flow) {
    endBlock();
    return frame -> flow;
  }

  /** The statements up to a block, which is taken too. */
  private Statement body(String end) {
    endBlock();
    Statement body = until(Set.of(end));
    tokens.next();
    endBlock();
    return body;
  }

  private Statement condition() {
    List<Expression> conditions = new ArrayList<>();
    List<Statement> branches = new ArrayList<>();
    Statement otherwise = frame -> Flow.NEXT;
    conditions.add(expressions.tuple());
    while (true) {
      endBlock();
      Statement branch = until(Set.of("elif", "else", "endif"));
      branches.add(branch);
      String next = tokens.name();
      if (next.equals("elif")) {
        conditions.add(expressions.tuple());
      } else if (next.equals("else")) {
        otherwise = body("endif");
        break;
      } else {
        endBlock();
        break;
      }
    }
    Statement last = otherwise;
    return frame -> {
      for (int i = 0; i < conditions.size(); i++) {
        if (Values.isTrue(conditions.get(i).value(frame))) {
          return branches.get(i).run(frame);
        }
      }
      return last.run(frame);
    };
  }

  private Target target() {
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      boolean ends = tokens.look().isName("in") || tokens.look().isOperator("=");
      if (ends && !targets.isEmpty()) {
        break; // after a comma at the end
      }
      targets.add(oneTarget());
      several |= tokens.look().isOperator(",");
    } while (tokens.skip(","));
    return several ? Target.several(targets) : targets.get(0);
  }

  private Target oneTarget() {
    if (tokens.skip("(")) {
      tokens.enter();
      Target inner = target();
      tokens.leave();
      tokens.expect(")");
      return inner;
    }
    String name = tokens.name();
    return tokens.skip(".") ? Target.attribute(name, tokens.name()) : Target.variable(name);
  }

  private Statement loop() {
    Target target = target();
    if (!tokens.skipName("in")) {
      throw tokens.unexpected("'in'");
    }
    Expression items = loopItems();
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    endBlock();
    Statement body = until(Set.of("else", "endfor"));
    Statement otherwise = frame -> Flow.NEXT;
    if (tokens.name().equals("else")) {
      otherwise = body("endfor");
    } else {
      endBlock();
    }
    return new ForLoop(target, items, filter, body, otherwise, recursive);
  }

  /** The items of a loop; a condition after them belongs to the loop. */
  private Expression loopItems() {
    Expression first = expressions.withoutCondition();
    if (!tokens.look().isOperator(",")) {
      return first;
    }
    List<Expression> all = new ArrayList<>(List.of(first));
    while (tokens.skip(",")) {
      all.add(expressions.withoutCondition());
    }
    return frame ->
        new Tuple(
            all.stream()
                .map(item -> item.value(frame))
                .collect(java.util.stream.Collectors.toCollection(ArrayList::new)));
  }

  private Statement assignment() {
    Target target = target();
    if (tokens.skip("=")) {
      Expression value = expressions.tuple();
      endBlock();
      return frame -> {
        target.assign(value.value(frame), frame);
        return Flow.NEXT;
      };
    }
    Captured captured = new Captured();
    Expression value = captured::value;
    while (tokens.skip("|")) {
      value = expressions.filter(value);
    }
    captured.body = body("endset");
    Expression result = value;
    return frame -> {
      target.assign(result.value(frame), frame);
      return Flow.NEXT;
    };
  }

  /** The text that a body writes, as a value. */
  private static final class Captured {
    private Statement body;

    Object value(Frame frame) {
      Frame inner = frame.capturing();
      body.run(inner);
      return inner.text();
    }
  }

  private Statement macro() {
    String name = tokens.name();
    Parameters parameters = parameters();
    Statement body = body("endmacro");
    return frame -> {
      frame.set(name, new Macro(name, parameters, body, frame));
      return Flow.NEXT;
    };
  }

  private Parameters parameters() {
    List<String> names = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    tokens.expect("(");
    while (!tokens.skip(")")) {
      if (!names.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      names.add(tokens.name());
      defaults.add(tokens.skip("=") ? expressions.expression() : null);
    }
    return new Parameters(names, defaults);
  }

  private Statement callBlock() {
    Parameters parameters =
        tokens.look().isOperator("(") ? parameters() : new Parameters(List.of(), List.of());
    Expression callee = expressions.withoutCall();
    CallArguments arguments = expressions.arguments();
    Statement body = body("endcall");
    return frame -> {
      Object function = callee.value(frame);
      if (!(function instanceof Macro macro)) {
        throw new JinjaException("a call block calls what is no macro");
      }
      Macro caller = new Macro("caller", parameters, body, frame);
      frame.write(macro.call(arguments.values(frame), frame, caller));
      return Flow.NEXT;
    };
  }

  private Statement filterBlock() {
    Captured captured = new Captured();
    Expression value = expressions.filter(captured::value);
    while (tokens.skip("|")) {
      value = expressions.filter(value);
    }
    captured.body = body("endfilter");
    Expression result = value;
    return frame -> {
      frame.write(Text.of(result.value(frame), frame.budget()));
      return Flow.NEXT;
    };
  }

  private Statement with() {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.look().is(Kind.BLOCK_END)) {
      if (!targets.isEmpty()) {
        tokens.expect(",");
      }
      targets.add(oneTarget());
      tokens.expect("=");
      values.add(expressions.expression());
    }
    Statement body = body("endwith");
    return frame -> {
      Frame inner = frame.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(values.get(i).value(frame), inner);
      }
      return body.run(inner);
    };
  }
}
