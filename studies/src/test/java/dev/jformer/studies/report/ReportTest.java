package dev.jformer.studies.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ReportTest {
  @TempDir private Path folder;

  @Test
  void writesAllFormatsAndReadsItsOwnData() throws IOException {
    Evidence evidence = Samples.evidence("laptop");
    Report.write(evidence, folder);
    for (String file :
        List.of("sample.html", "sample.md", "sample-1.svg", "sample-2.svg", "sample.json")) {
      assertTrue(Files.size(folder.resolve(file)) > 0, file);
    }
    Evidence again =
        new JsonMapper().readValue(folder.resolve("sample.json").toFile(), Evidence.class);
    assertEquals(evidence.toString(), again.toString());
  }

  @Test
  void figuresAreWellFormedAndPutValuesWhereTheyBelong() throws Exception {
    Document svg = parse(Plot.file(Samples.evidence("laptop").figures().get(0)));
    var circles = svg.getElementsByTagName("circle");
    assertEquals(6, circles.getLength(), "one dot for each value that can be shown");
    double[] x = new double[3];
    double[] y = new double[3];
    for (int i = 0; i < 3; i++) {
      Element circle = (Element) circles.item(i);
      x[i] = Double.parseDouble(circle.getAttribute("cx"));
      y[i] = Double.parseDouble(circle.getAttribute("cy"));
    }
    // 256 to 1024 is a third of the way to 16384 on a logarithmic axis.
    assertEquals((x[2] - x[0]) / 3, x[1] - x[0], 0.2);
    double share = Math.log(4) / Math.log(70);
    assertEquals((y[2] - y[0]) * share, y[1] - y[0], 0.2);
    assertTrue(y[2] < y[0], "larger values stand higher");
    String gap = ((Element) svg.getElementsByTagName("path").item(0)).getTagName();
    assertEquals("path", gap);
    Matcher lines =
        Pattern.compile("class=\"line c1\" d=\"(M[^\"]*)\"")
            .matcher(Plot.file(Samples.evidence("laptop").figures().get(0)));
    assertTrue(lines.find());
    assertEquals(
        2, lines.group(1).chars().filter(c -> c == 'M').count(), "a gap where there is none");
  }

  @Test
  void aBandGoesThereAboveAndBackBelow() throws Exception {
    Figure.Series band =
        Figure.Series.band(
            "90 %", List.of(0.0, 1.0, 2.0), List.of(1.0, 2.0, 1.0), List.of(3.0, 8.0, 5.0));
    Figure.Series line = Figure.Series.line("line", List.of(0.0, 2.0), List.of(1.0, 8.0));
    String svg = Plot.file(new Figure("f", "x", "y", false, false, List.of(line, band)));
    parse(svg);
    Matcher path = Pattern.compile("class=\"band c1\" d=\"M([^\"]*)Z\"").matcher(svg);
    assertTrue(path.find());
    double[][] corners = new double[6][];
    String[] parts = path.group(1).split("L");
    assertEquals(6, parts.length);
    for (int i = 0; i < 6; i++) {
      corners[i] =
          java.util.Arrays.stream(parts[i].split(" ")).mapToDouble(Double::parseDouble).toArray();
    }
    for (int i = 0; i < 3; i++) {
      assertEquals(corners[i][0], corners[5 - i][0], "the same place");
      assertTrue(corners[i][1] < corners[5 - i][1], "the upper edge stands higher");
    }
    // The line's ends are the band's lowest and highest values: one scale for all.
    assertTrue(
        svg.contains("M" + parts[5] + "L" + parts[2].split(" ")[0] + " " + parts[1].split(" ")[1]),
        svg);
    assertThrows(
        IllegalArgumentException.class,
        () -> Figure.Series.band("b", List.of(1.0), List.of(1.0), List.of(1.0, 2.0)));
  }

  @Test
  void ticksLieInsideAndAreRound() {
    for (Axis axis :
        List.of(
            new Axis(0.013, 0.0171, false),
            new Axis(1, 16384, true),
            new Axis(3, 5, true),
            new Axis(-7, 12345678, false),
            new Axis(1e-9, 2e-9, false))) {
      List<Double> ticks = axis.ticks();
      assertTrue(ticks.size() >= 2 && ticks.size() <= 12, axis + ": " + ticks);
      for (double tick : ticks) {
        assertTrue(tick >= axis.low() && tick <= axis.high(), axis + ": " + tick);
        assertTrue(Axis.label(tick).length() <= 8, Axis.label(tick));
      }
    }
    assertEquals("16.384k", Axis.label(16384));
    assertEquals("2048", Axis.label(2048));
    assertEquals("0.05", Axis.label(0.05));
  }

  @Test
  void saysWhatHoldsAndJudgesNothingAtSmokeScale() {
    String judged = Report.text(Samples.evidence("laptop"));
    assertTrue(judged.contains("holds: grows linearly"), judged);
    assertTrue(judged.contains("does not hold: is < better"), judged);
    assertTrue(judged.contains("not told apart: As accurate as the plain model"), judged);
    assertTrue(judged.contains("62.50 ± 1.0 (3 seeds each)"), judged);
    assertTrue(judged.contains("control: the <plain> model"), judged);
    String page = Report.html(Samples.evidence("laptop"));
    assertTrue(page.contains("verdict apart\">not told apart<"), "of its own colour");
    String smoke = Report.html(Samples.evidence("smoke"));
    assertFalse(smoke.contains(">holds<") || smoke.contains(">does not hold<"));
    assertTrue(smoke.contains(">not judged<"));
  }

  @Test
  void textCannotBreakOutOfThePage() throws Exception {
    String html = Report.html(Samples.evidence("laptop"));
    assertFalse(html.contains("<with>") || html.contains("<tags>") || html.contains("<by>"));
    assertFalse(html.contains("http://") && html.replace("http://www.w3.org", "").contains("http"));
    Path file = folder.resolve("r");
    Report.write(Samples.evidence("laptop"), file);
    List<String> claims =
        Files.readAllLines(file.resolve("sample.md")).stream()
            .filter(line -> line.startsWith("| is"))
            .toList();
    assertEquals(1, claims.size());
    assertEquals(5, claims.get(0).replace("\\|", "").chars().filter(c -> c == '|').count());
  }

  private static Document parse(String xml) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }

  /** A user's column, file or command may hold anything. */
  @Test
  void markdownEscapesTextsEverywhere() throws IOException {
    String evil = "a <script>x</script>\n# [b](javascript:x) &lt; | c";
    Evidence e = Samples.evidence("laptop");
    Evidence changed =
        new Evidence(
            "my (own)",
            evil,
            e.scale(),
            evil,
            e.version(),
            e.machine(),
            e.date(),
            e.seconds(),
            evil,
            e.claims(),
            List.of(new Table(evil, List.of(evil), List.of(List.of(evil)))),
            List.of(Figure.of(evil, "x", "y", Figure.Series.point(evil, 1, 1))),
            List.of(evil));
    String text = MarkdownReport.of(changed).replace("    " + evil.replace('\n', ' '), "COMMAND");
    assertTrue(text.contains("COMMAND"), "the command is one line of code: " + text);
    assertFalse(text.contains("<script>"), text);
    assertFalse(text.contains("\n# [") || text.contains(" [b]("), text);
    assertTrue(text.contains("&amp;lt;") && text.contains("](my%20%28own%29.svg)"), text);
  }
}
