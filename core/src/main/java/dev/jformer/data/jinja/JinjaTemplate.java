package dev.jformer.data.jinja;

import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Jinja template, rendered as Python's Jinja2 does with the settings of Hugging Face's {@code
 * apply_chat_template}: blocks take the line break after them and the blanks before them, loops
 * know {@code break} and {@code continue}, and there are {@code raise_exception}, {@code
 * strftime_now} and the filter {@code tojson}. Files cannot be included.
 *
 * <p>A template sees nothing but the values it is given. Its work, its text and its time are
 * bounded, so that one from a stranger ends in an error at the worst. Threads may share it.
 */
public final class JinjaTemplate {
  private static final int LONGEST = 1 << 20;

  private final Statement body;
  private final String name;

  private JinjaTemplate(Statement body, String name) {
    this.body = body;
    this.name = name;
  }

  /**
   * Reads a template.
   *
   * @param source its text
   * @param name what messages call it, such as the file it comes from
   * @throws DataException if it is not well-formed, has a block that is not supported, or more than
   *     a million characters
   */
  public static JinjaTemplate parse(String source, String name) {
    try {
      if (source.length() > LONGEST) {
        throw new JinjaException(
            "it has " + source.length() + " characters: expected at most " + LONGEST);
      }
      return new JinjaTemplate(TemplateParser.parse(source), name);
    } catch (JinjaException e) {
      throw new DataException(name + " cannot be read: " + shown(e), e);
    } catch (StackOverflowError e) {
      throw new DataException(name + " cannot be read: it is nested too deeply", e);
    }
  }

  /**
   * Renders the template.
   *
   * @param variables texts, numbers, booleans, lists and maps of these, and null
   * @param clock of {@code strftime_now}
   * @throws DataException if the template raises an error, uses what does not exist, or does not
   *     end
   * @throws IllegalArgumentException if a variable is of another type
   */
  public String render(Map<String, ?> variables, Clock clock) {
    Budget budget = new Budget();
    Frame globals = Frame.outermost(budget);
    define(globals, clock);
    Frame frame = globals.inner();
    variables.forEach((key, value) -> frame.set(key, Values.of(value)));
    try {
      body.run(frame.inner());
      return frame.text();
    } catch (JinjaException e) {
      throw new DataException(name + " fails in line " + budget.line() + ": " + shown(e), e);
    } catch (StackOverflowError e) {
      throw new DataException(
          name + " fails in line " + budget.line() + ": it is nested too deeply", e);
    }
  }

  private static String shown(JinjaException error) {
    return FormatException.oneLine(String.valueOf(error.getMessage()));
  }

  private static void define(Frame frame, Clock clock) {
    define(frame, "raise_exception", (a, f) -> raise(a.require(0, "message"), f));
    define(
        frame,
        "strftime_now",
        (a, f) -> TimeFormat.write(a.text(0, "format"), ZonedDateTime.now(clock)));
    define(frame, "range", JinjaTemplate::range);
    define(frame, "namespace", JinjaTemplate::namespace);
    define(frame, "dict", JinjaTemplate::dictionary);
  }

  private static void define(Frame frame, String name, Callable callable) {
    frame.set(name, callable);
  }

  private static Object raise(Object message, Frame frame) {
    throw new JinjaException(Text.of(message, frame.budget()));
  }

  private static Object range(Arguments arguments, Frame frame) {
    boolean alone = arguments.positional().size() < 2;
    long from = alone ? 0 : Values.integer(arguments.require(0, "start"));
    long to = Values.integer(arguments.require(alone ? 0 : 1, "stop"));
    long step = Values.index(arguments.get(2, "step", 1L));
    if (step == 0) {
      throw new JinjaException("the step of a range is 0");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      frame.budget().step();
      numbers.add(i);
    }
    return numbers;
  }

  private static Object dictionary(Arguments arguments, Frame frame) {
    Map<Object, Object> made = new LinkedHashMap<>();
    if (!arguments.positional().isEmpty()) {
      Object given = arguments.positional().get(0);
      List<Object> pairs =
          given instanceof Map
              ? ContainerMethods.pairs(Values.map(given))
              : Values.items(given, frame.budget());
      for (Object pair : pairs) {
        List<Object> entry = Values.items(pair, frame.budget());
        if (entry.size() != 2) {
          throw new JinjaException(
              "an entry of a dictionary has " + entry.size() + " items: expected 2");
        }
        made.put(Values.key(entry.get(0)), entry.get(1));
      }
    }
    made.putAll(arguments.named());
    return made;
  }

  private static Namespace namespace(Arguments arguments, Frame frame) {
    Namespace made = new Namespace();
    if (!arguments.positional().isEmpty()) {
      Values.map(arguments.positional().get(0))
          .forEach((key, value) -> made.attributes().put(Text.of(key, frame.budget()), value));
    }
    made.attributes().putAll(arguments.named());
    return made;
  }
}
