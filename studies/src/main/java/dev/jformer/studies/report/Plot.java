package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Draws a figure as SVG that scales with the page and supports light and dark mode. */
final class Plot {
  private static final int WIDTH = 720;

  /** The width on a phone, where text must not shrink with the figure. */
  private static final int NARROW = 380;

  private static final int LEFT = 64;
  private static final int RIGHT = 16;
  private static final int TOP = 12;
  private static final int HEIGHT = 320;
  private static final int BOTTOM = 44;
  private static final int LEGEND_ROW = 20;
  private static final int COLOURS = 8;

  /** Style sheet with colours that colour-blind readers can tell apart, in light and dark mode. */
  static final String STYLE =
      """
      .plot{--ink:#1b1f24;--soft:#68707a;--rule:#d9dde3;font:13px system-ui,sans-serif}
      .plot text{fill:var(--soft)}.plot .name{fill:var(--ink)}.plot .rule{stroke:var(--rule)}
      .plot .line{fill:none;stroke-width:2.2;stroke-linejoin:round}
      .narrow{display:none}@media(max-width:36rem){.wide{display:none}.narrow{display:block}}
      .c0{--c:#0072b2}.c1{--c:#d55e00}.c2{--c:#009e73}.c3{--c:#b0468e}
      .c4{--c:#9a7500}.c5{--c:#3aa0dc}.c6{--c:#5b5b5b}.c7{--c:#a33c2c}
      .plot .line{stroke:var(--c)}.plot .dot{fill:var(--c)}.plot .band{fill:var(--c);opacity:.2}
      @media(prefers-color-scheme:dark){
      .plot{--ink:#e8eaed;--soft:#a3abb5;--rule:#3a4048}
      .c0{--c:#56b4e9}.c1{--c:#f0883e}.c2{--c:#3ddc9f}.c3{--c:#e48ac4}
      .c4{--c:#e6c229}.c5{--c:#8cc8ff}.c6{--c:#b5b5b5}.c7{--c:#ff8f7d}}
      """;

  private final Figure figure;
  private final int width;
  private final Axis x;
  private final Axis y;
  private final StringBuilder svg = new StringBuilder();

  private Plot(Figure figure, int width) {
    this.figure = figure;
    this.width = width;
    List<Double> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    for (Figure.Series series : figure.series()) {
      for (int i = 0; i < series.x().size(); i++) {
        if (shown(series, i)) {
          xs.add(series.x().get(i));
          ys.add(series.y().get(i));
          if (!series.upper().isEmpty()) {
            ys.add(series.upper().get(i));
          }
        }
      }
    }
    this.x = Axis.of(xs, figure.logX());
    this.y = Axis.of(ys, figure.logY());
  }

  /**
   * Draws a figure for a page that contains {@link #STYLE}, for wide screens and for narrow ones.
   */
  static String inline(Figure figure) {
    return "<div class=\"wide\">"
        + new Plot(figure, WIDTH).draw("")
        + "</div><div class=\"narrow\">"
        + new Plot(figure, NARROW).draw("")
        + "</div>";
  }

  /** Draws a figure as a complete SVG file. */
  static String file(Figure figure) {
    String background =
        ".plot{background:#fff}@media(prefers-color-scheme:dark){.plot{background:#16191d}}";
    return new Plot(figure, WIDTH).draw("<style>" + STYLE + background + "</style>\n");
  }

  private boolean shown(Figure.Series series, int i) {
    return Axis.shows(series.x().get(i), figure.logX())
        && Axis.shows(series.y().get(i), figure.logY())
        && (series.upper().isEmpty() || Axis.shows(series.upper().get(i), figure.logY()));
  }

  private String draw(String style) {
    List<Figure.Series> lines = figure.series().stream().filter(s -> !s.points()).toList();
    int perRow = lines.isEmpty() ? 1 : Math.max(1, (width - LEFT) / (30 + 8 * longest(lines)));
    int legendRows = (lines.size() + perRow - 1) / perRow;
    int height = HEIGHT + legendRows * LEGEND_ROW;
    add(
        "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
            + " role=\"img\" aria-label=\"%s\">%n",
        width, height, Text.html(figure.title()));
    svg.append(style);
    grid();
    for (int i = 0; i < figure.series().size(); i++) {
      Figure.Series series = figure.series().get(i);
      if (series.points()) {
        points(series, i % COLOURS);
      } else if (!series.upper().isEmpty()) {
        band(series, i % COLOURS);
      } else {
        line(series, i % COLOURS);
      }
    }
    legend(lines, perRow);
    return svg.append("</svg>\n").toString();
  }

  private static int longest(List<Figure.Series> lines) {
    return lines.stream().mapToInt(s -> s.name().length()).max().orElse(1);
  }

  private double across(double value) {
    return LEFT + x.place(value) * (width - LEFT - RIGHT);
  }

  private double down(double value) {
    return TOP + (1 - y.place(value)) * (HEIGHT - TOP - BOTTOM);
  }

  private void grid() {
    int bottom = HEIGHT - BOTTOM;
    List<Double> marks = y.ticks();
    for (double tick : marks) {
      double at = down(tick);
      add("<path class=\"rule\" d=\"M%d %.1fH%d\"/>", LEFT, at, width - RIGHT);
      add(
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
          LEFT - 6, at + 4, Axis.label(tick, marks));
    }
    DateTicks dates = figure.dates() ? DateTicks.between(x.low(), x.high()) : null;
    List<Double> places = dates == null ? x.ticks() : dates.ticks();
    for (double tick : places) {
      double at = across(tick);
      add("<path class=\"rule\" d=\"M%.1f %dv5\"/>", at, bottom);
      add(
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
          at, bottom + 19, dates == null ? Axis.label(tick, places) : dates.label(tick));
    }
    add("<path class=\"rule\" d=\"M%d %dH%d\"/>", LEFT, bottom, width - RIGHT);
    add(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
        (LEFT + width - RIGHT) / 2, bottom + 37, Text.html(figure.x()));
    add(
        "<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>%n",
        (TOP + bottom) / 2, Text.html(figure.y()));
  }

  private void line(Figure.Series series, int colour) {
    StringBuilder path = new StringBuilder();
    boolean pen = false;
    for (int i = 0; i < series.x().size(); i++) {
      if (!shown(series, i)) {
        pen = false; // leave a gap
        continue;
      }
      path.append(pen ? 'L' : 'M')
          .append(
              String.format(
                  Locale.ROOT, "%.1f %.1f", across(series.x().get(i)), down(series.y().get(i))));
      pen = true;
    }
    add(
        "<path class=\"line c%d\" d=\"%s\"><title>%s</title></path>%n",
        colour, path, Text.html(series.name()));
    if (series.x().size() <= 12) {
      for (int i = 0; i < series.x().size(); i++) {
        if (shown(series, i)) {
          dot(series, i, colour, 3);
        }
      }
    }
  }

  /** Draws a band: along its upper edge and back along the lower one. */
  private void band(Figure.Series series, int colour) {
    List<String> there = new ArrayList<>();
    List<String> back = new ArrayList<>();
    for (int i = 0; i < series.x().size(); i++) {
      if (shown(series, i)) {
        double at = across(series.x().get(i));
        there.add(String.format(Locale.ROOT, "%.1f %.1f", at, down(series.upper().get(i))));
        back.add(0, String.format(Locale.ROOT, "%.1f %.1f", at, down(series.y().get(i))));
      }
    }
    there.addAll(back);
    if (!there.isEmpty()) {
      add(
          "<path class=\"band c%d\" d=\"M%sZ\"><title>%s</title></path>%n",
          colour, String.join("L", there), Text.html(series.name()));
    }
  }

  private void points(Figure.Series series, int colour) {
    for (int i = 0; i < series.x().size(); i++) {
      if (shown(series, i)) {
        dot(series, i, colour, 5);
        double at = across(series.x().get(i));
        boolean right = at < width * 0.75;
        add(
            "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
            at + (right ? 9 : -9),
            down(series.y().get(i)) + 4,
            right ? "start" : "end",
            Text.html(series.name()));
      }
    }
  }

  private void dot(Figure.Series series, int i, int colour, int radius) {
    add(
        "<circle class=\"dot c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"><title>%s: %s, %s</title></circle>%n",
        colour,
        across(series.x().get(i)),
        down(series.y().get(i)),
        radius,
        Text.html(series.name()),
        figure.dates() ? DateTicks.text(series.x().get(i)) : Axis.label(series.x().get(i)),
        Axis.label(series.y().get(i)));
  }

  private void legend(List<Figure.Series> lines, int perRow) {
    for (int i = 0; i < lines.size(); i++) {
      int left = LEFT + (i % perRow) * ((width - LEFT) / perRow);
      int top = HEIGHT + (i / perRow) * LEGEND_ROW + 8;
      int colour = figure.series().indexOf(lines.get(i)) % COLOURS;
      boolean band = !lines.get(i).upper().isEmpty();
      add(
          "<path class=\"%s c%d\" d=\"M%d %dh18%s\"/>",
          band ? "band" : "line", colour, left, band ? top - 5 : top, band ? "v10h-18z" : "");
      add(
          "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>%n",
          left + 24, top + 4, Text.html(lines.get(i).name()));
    }
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values));
  }
}
