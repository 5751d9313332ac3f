package dev.jformer.data.jinja;

import dev.jformer.data.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, which bind as in Jinja. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  /** Names that end a test without an argument. */
  private static final Set<String> AFTER_TEST =
      Set.of("else", "or", "and", "is", "if", "in", "not");

  private final Tokens tokens;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** An expression, or several with commas between them, which are a tuple. */
  Expression tuple() {
    Expression first = expression();
    if (!tokens.look().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skip(",")) {
      if (endsTuple()) {
        break;
      }
      items.add(expression());
    }
    return frame -> new Tuple(values(items, frame));
  }

  private boolean endsTuple() {
    Token next = tokens.look();
    return next.is(Kind.BLOCK_END)
        || next.is(Kind.VARIABLE_END)
        || next.isOperator(")")
        || next.isOperator("=")
        || next.isName("in");
  }

  /** One expression. */
  Expression expression() {
    tokens.enter();
    Expression result = conditional();
    tokens.leave();
    return result;
  }

  /** An expression without {@code a if b else c}, as a loop's items are. */
  Expression withoutCondition() {
    return or();
  }

  private Expression conditional() {
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression then = value;
      Expression condition = or();
      Expression otherwise =
          tokens.skipName("else")
              ? expression()
              : frame -> new Undefined("the condition is false and there is no 'else'");
      value = frame -> (Values.isTrue(condition.value(frame)) ? then : otherwise).value(frame);
    }
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      Expression first = left;
      Expression second = and();
      left =
          frame -> {
            Object value = first.value(frame);
            return Values.isTrue(value) ? value : second.value(frame);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      Expression first = left;
      Expression second = not();
      left =
          frame -> {
            Object value = first.value(frame);
            return Values.isTrue(value) ? second.value(frame) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (!tokens.skipName("not")) {
      return comparison();
    }
    tokens.enter();
    Expression inner = not();
    tokens.leave();
    return frame -> !Values.isTrue(inner.value(frame));
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> operands = new ArrayList<>();
    for (String operator = comparing(); operator != null; operator = comparing()) {
      operators.add(operator);
      operands.add(sum());
    }
    if (operators.isEmpty()) {
      return first;
    }
    return frame -> {
      Object left = first.value(frame);
      for (int i = 0; i < operators.size(); i++) {
        Object right = operands.get(i).value(frame);
        if (!Operators.compares(operators.get(i), left, right, frame.budget())) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  /** Takes a comparison's operator; null if there is none. */
  private String comparing() {
    Token next = tokens.look();
    if (next.is(Kind.OPERATOR) && COMPARISONS.contains(next.text())) {
      return tokens.next().text();
    }
    if (tokens.skipName("in")) {
      return "in";
    }
    if (next.isName("not") && tokens.lookBeyond().isName("in")) {
      tokens.next();
      tokens.next();
      return "not in";
    }
    return null;
  }

  private Expression sum() {
    Expression left = joined();
    while (tokens.look().isOperator("+") || tokens.look().isOperator("-")) {
      left = binary(tokens.next().text(), left, joined());
    }
    return left;
  }

  private Expression joined() {
    Expression left = product();
    while (tokens.skip("~")) {
      Expression first = left;
      Expression second = product();
      left =
          frame -> {
            String text = Text.of(first.value(frame), frame.budget());
            String more = Text.of(second.value(frame), frame.budget());
            return Operators.apply("+", text, more, frame.budget());
          };
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    for (Token next = tokens.look();
        next.isOperator("*")
            || next.isOperator("/")
            || next.isOperator("//")
            || next.isOperator("%");
        next = tokens.look()) {
      left = binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skip("**")) {
      left = binary("**", left, unary(true));
    }
    return left;
  }

  private static Expression binary(String operator, Expression first, Expression second) {
    return frame -> {
      Object left = first.value(frame);
      return Operators.apply(operator, left, second.value(frame), frame.budget());
    };
  }

  private Expression unary(boolean withFilters) {
    if (tokens.look().isOperator("-") || tokens.look().isOperator("+")) {
      tokens.enter();
      boolean negative = tokens.next().isOperator("-");
      Expression inner = unary(false);
      tokens.leave();
      Expression signed =
          negative ? frame -> Operators.negate(inner.value(frame)) : frame -> inner.value(frame);
      return withFilters ? filtered(signed) : signed;
    }
    Expression value = postfix(primary());
    return withFilters ? filtered(value) : value;
  }

  private Expression primary() {
    Token token = tokens.look();
    switch (token.kind()) {
      case NAME -> {
        return name(tokens.next().text());
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.look().is(Kind.STRING)) {
          text.append(tokens.next().text());
        }
        String all = text.toString();
        return frame -> all;
      }
      case INTEGER, FLOAT -> {
        Object number = number(tokens.next());
        return frame -> number;
      }
      default -> {}
    }
    if (tokens.skip("(")) {
      return parenthesis();
    }
    if (tokens.skip("[")) {
      List<Expression> items = list("]");
      return frame -> values(items, frame);
    }
    if (tokens.skip("{")) {
      return dictionary();
    }
    throw tokens.unexpected("a value");
  }

  private static Expression name(String name) {
    return switch (name) {
      case "true", "True" -> frame -> true;
      case "false", "False" -> frame -> false;
      case "none", "None" -> frame -> null;
      default ->
          frame -> {
            frame.budget().step();
            return frame.get(name);
          };
    };
  }

  private static Object number(Token token) {
    String digits = token.text().replace("_", "");
    try {
      return token.is(Kind.FLOAT) ? (Object) Double.valueOf(digits) : (Object) Long.valueOf(digits);
    } catch (NumberFormatException e) {
      throw new JinjaException(
          "line " + token.line() + " has the number " + digits + ", which is too large");
    }
  }

  private Expression parenthesis() {
    if (tokens.skip(")")) {
      return frame -> new Tuple(List.of());
    }
    Expression inner = tuple();
    tokens.expect(")");
    return inner;
  }

  private List<Expression> list(String end) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skip(end)) {
      if (!items.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip(end)) {
          break;
        }
      }
      items.add(expression());
    }
    return items;
  }

  private Expression dictionary() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> items = new ArrayList<>();
    while (!tokens.skip("}")) {
      if (!keys.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expect(":");
      items.add(expression());
    }
    return frame -> {
      frame.budget().make(keys.size());
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Values.key(keys.get(i).value(frame)), items.get(i).value(frame));
      }
      return map;
    };
  }

  private static List<Object> values(List<Expression> expressions, Frame frame) {
    frame.budget().make(expressions.size());
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(expression.value(frame));
    }
    return values;
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.skip(".")) {
        value = member(value);
      } else if (tokens.skip("[")) {
        value = subscript(value);
      } else if (tokens.look().isOperator("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  private Expression member(Expression owner) {
    if (tokens.look().is(Kind.INTEGER)) {
      Object index = number(tokens.next());
      return frame -> Attributes.item(owner.value(frame), index, frame.budget());
    }
    String name = tokens.name();
    return frame -> {
      frame.budget().step();
      return Attributes.attribute(owner.value(frame), name);
    };
  }

  private Expression subscript(Expression owner) {
    Expression[] bounds = new Expression[3];
    int part = 0;
    boolean slice = false;
    while (!tokens.look().isOperator("]")) {
      if (tokens.skip(":")) {
        slice = true;
        if (++part > 2) {
          throw tokens.unexpected("']'");
        }
      } else if (bounds[part] == null) {
        bounds[part] = slice ? expression() : tuple();
      } else {
        throw tokens.unexpected("']'");
      }
    }
    if (!slice && bounds[0] == null) {
      throw tokens.unexpected("an index");
    }
    tokens.expect("]");
    if (!slice) {
      Expression key = bounds[0];
      return frame -> {
        frame.budget().step();
        Object value = owner.value(frame);
        return Attributes.item(value, key.value(frame), frame.budget());
      };
    }
    return frame ->
        Attributes.slice(
            owner.value(frame),
            bound(bounds[0], frame),
            bound(bounds[1], frame),
            bound(bounds[2], frame),
            frame.budget());
  }

  private static Object bound(Expression bound, Frame frame) {
    return bound == null ? null : bound.value(frame);
  }

  /** The arguments of a call, of a filter or of a test. */
  CallArguments arguments() {
    CallArguments arguments = new CallArguments();
    tokens.expect("(");
    boolean first = true;
    while (!tokens.skip(")")) {
      if (!first) {
        tokens.expect(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      first = false;
      if (tokens.skip("*")) {
        arguments.spread(expression());
      } else if (tokens.skip("**")) {
        arguments.spreadNamed(expression());
      } else if (tokens.look().is(Kind.NAME) && tokens.lookBeyond().isOperator("=")) {
        String name = tokens.name();
        tokens.expect("=");
        arguments.named(name, expression());
      } else {
        arguments.positional(expression());
      }
    }
    return arguments;
  }

  /** What a call block calls: a name and its attributes. */
  Expression withoutCall() {
    Expression value = name(tokens.name());
    while (tokens.skip(".")) {
      value = member(value);
    }
    return value;
  }

  private Expression call(Expression callee) {
    CallArguments arguments = arguments();
    return frame -> {
      Object function = callee.value(frame);
      return call(function, arguments.values(frame), frame);
    };
  }

  /** Calls a value. */
  static Object call(Object function, Arguments arguments, Frame frame) {
    frame.budget().step();
    if (function instanceof Callable callable) {
      return callable.call(arguments, frame);
    }
    throw function instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException("a value of type " + Values.type(function) + " is called");
  }

  private Expression filtered(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.skip("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.look().isOperator("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  /** The filter whose name comes next, applied to a value. */
  Expression filter(Expression input) {
    String name = dotted();
    CallArguments arguments = tokens.look().isOperator("(") ? arguments() : new CallArguments();
    return frame -> {
      Object value = input.value(frame);
      return Filters.apply(name, value, arguments.values(frame), frame);
    };
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.name());
    while (tokens.skip(".")) {
      name.append('.').append(tokens.name());
    }
    return name.toString();
  }

  private Expression test(Expression input) {
    boolean negated = tokens.skipName("not");
    String name = dotted();
    CallArguments arguments = testArguments();
    return frame -> {
      Object value = input.value(frame);
      return negated != Tests.test(name, value, arguments.values(frame), frame.budget());
    };
  }

  private CallArguments testArguments() {
    Token next = tokens.look();
    if (next.isOperator("(")) {
      return arguments();
    }
    CallArguments arguments = new CallArguments();
    boolean follows =
        switch (next.kind()) {
          case STRING, INTEGER, FLOAT -> true;
          case NAME -> !AFTER_TEST.contains(next.text());
          default -> next.isOperator("[") || next.isOperator("{");
        };
    if (follows) {
      arguments.positional(postfix(primary()));
    }
    return arguments;
  }
}
