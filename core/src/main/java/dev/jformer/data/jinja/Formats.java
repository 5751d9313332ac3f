package dev.jformer.data.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to put values into a text: {@code '%s' % x} and {@code '{}'.format(x)}. */
final class Formats {
  private static final Pattern PERCENT =
      Pattern.compile("%(?:\\((\\w+)\\))?([-+ 0#]*)(\\d{0,4})(?:\\.(\\d{1,3}))?([sdifrxXeEgGc%])");
  private static final Pattern BRACES =
      Pattern.compile(
          "\\{\\{|\\}\\}|\\{(\\w*)(?::([<>^]?)(\\d{0,4})(?:\\.(\\d{1,3}))?([sdf]?))?\\}");

  private Formats() {}

  /** {@code format % values}; the values are a tuple, a dictionary or one value. */
  static String percent(String format, Object values, Budget budget) {
    List<Object> given = values instanceof Tuple tuple ? tuple : List.of(new Object[] {values});
    Matcher matcher = PERCENT.matcher(format);
    StringBuilder out = new StringBuilder();
    int from = 0;
    int next = 0;
    while (matcher.find()) {
      literal(format.substring(from, matcher.start()), out);
      from = matcher.end();
      if (matcher.group(5).equals("%")) {
        out.append('%');
        continue;
      }
      Object value;
      if (matcher.group(1) != null) {
        value = Attributes.item(Values.map(values), matcher.group(1), budget);
      } else if (next < given.size()) {
        value = given.get(next++);
      } else {
        throw new JinjaException("the format has more places than values");
      }
      out.append(padded(converted(value, matcher, budget), matcher));
      budget.make(out.length());
    }
    literal(format.substring(from), out);
    return out.toString();
  }

  private static void literal(String text, StringBuilder out) {
    if (text.indexOf('%') >= 0) {
      throw new JinjaException("the format has a '%' that is not followed by a known conversion");
    }
    out.append(text);
  }

  private static String converted(Object value, Matcher matcher, Budget budget) {
    char kind = matcher.group(5).charAt(0);
    int precision = matcher.group(4) == null ? -1 : Integer.parseInt(matcher.group(4));
    if (kind == 's' || kind == 'r' || kind == 'c') {
      String text = kind == 'r' ? Text.represented(value, budget) : Text.of(value, budget);
      return precision < 0 || precision > text.length() ? text : text.substring(0, precision);
    }
    if (!Values.isNumber(value)) {
      throw Values.wrong(value, "a number");
    }
    String text =
        switch (kind) {
          case 'd', 'i' ->
              Long.toString(
                  Values.isInteger(value) ? Values.integer(value) : (long) Values.decimal(value));
          case 'x' -> Long.toHexString(Values.integer(value));
          case 'X' -> Long.toHexString(Values.integer(value)).toUpperCase(Locale.ROOT);
          case 'f' -> fixed(Values.decimal(value), precision < 0 ? 6 : precision);
          default ->
              String.format(
                  Locale.ROOT,
                  "%." + (precision < 0 ? 6 : precision) + kind,
                  Values.decimal(value));
        };
    return matcher.group(2).contains("+") && !text.startsWith("-") ? "+" + text : text;
  }

  /** A number with so many digits after the point. */
  static String fixed(double value, int digits) {
    return Double.isNaN(value) || Double.isInfinite(value)
        ? Text.decimal(value)
        : new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String padded(String text, Matcher matcher) {
    int width = matcher.group(3).isEmpty() ? 0 : Integer.parseInt(matcher.group(3));
    int missing = Math.max(0, width - text.length());
    if (matcher.group(2).contains("-")) {
      return text + " ".repeat(missing);
    }
    if (matcher.group(2).contains("0") && "sr".indexOf(matcher.group(5)) < 0) {
      int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return " ".repeat(missing) + text;
  }

  /** {@code format.format(...)}, with names, numbers and simple forms in the braces. */
  static String braces(String format, Arguments arguments, Budget budget) {
    Matcher matcher = BRACES.matcher(format);
    StringBuilder out = new StringBuilder();
    int from = 0;
    int next = 0;
    while (matcher.find()) {
      out.append(format, from, matcher.start());
      from = matcher.end();
      String name = matcher.group(1);
      if (name == null) {
        out.append(matcher.group().charAt(0));
        continue;
      }
      boolean isNumber = name.isEmpty() || name.chars().allMatch(c -> c >= '0' && c <= '9');
      int position =
          !isNumber
              ? Integer.MAX_VALUE
              : name.isEmpty() ? next++ : Values.index(Long.valueOf(name));
      out.append(aligned(arguments.require(position, name), matcher, budget));
      budget.make(out.length());
    }
    return out.append(format.substring(from)).toString();
  }

  private static String aligned(Object value, Matcher matcher, Budget budget) {
    String text = Text.of(value, budget);
    if (matcher.group(4) != null) {
      int digits = Integer.parseInt(matcher.group(4));
      text =
          Values.isNumber(value)
              ? fixed(Values.decimal(value), digits)
              : text.substring(0, Math.min(digits, text.length()));
    } else if ("f".equals(matcher.group(5))) {
      text = fixed(Values.decimal(value), 6);
    }
    String width = matcher.group(3);
    int missing =
        width == null || width.isEmpty() ? 0 : Math.max(0, Integer.parseInt(width) - text.length());
    String align = matcher.group(2) == null ? "" : matcher.group(2);
    boolean toRight = align.equals(">") || (align.isEmpty() && Values.isNumber(value));
    int before = toRight ? missing : align.equals("^") ? missing / 2 : 0;
    return " ".repeat(before) + text + " ".repeat(missing - before);
  }
}
