package dev.jformer.studies.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Looks at a report in a real browser, where there is one: Chromium without a window. The report
 * stands in a frame as wide as a screen, and the page around it says what it sees there.
 */
class BrowserTest {
  private static final List<Path> BROWSERS =
      List.of(Path.of("/usr/bin/chromium"), Path.of("/usr/bin/google-chrome"));

  @TempDir private Path folder;

  @Test
  void aPhoneShowsAllOfItWithoutScrollingThePageSideways() throws Exception {
    JsonNode seen = look(360, false);
    assertTrue(seen.path("pageWidth").asInt() <= 360, "the page is as wide as the phone: " + seen);
    assertTrue(seen.path("tableScrolls").asBoolean(), "a wide table scrolls by itself");
    int width = seen.path("figureWidth").asInt();
    assertTrue(width > 200 && width <= 360, seen.toString());
    assertTrue(seen.path("textSize").asDouble() > 10, "figures can be read: " + seen);
  }

  @Test
  void figuresAndVerdictsAreVisible() throws Exception {
    JsonNode seen = look(1200, false);
    assertEquals(2, seen.path("figures").asInt());
    assertEquals("holds|does not hold|not told apart", seen.path("verdicts").asText());
    assertTrue(seen.path("figureWidth").asInt() > 600, seen.toString());
    assertTrue(seen.path("lineLength").asInt() > 100, "a curve is drawn: " + seen);
    assertEquals(0, seen.path("requests").asInt(), "nothing is loaded from anywhere");
  }

  @Test
  void followsTheColourScheme() throws Exception {
    JsonNode light = look(800, false);
    JsonNode dark = look(800, true);
    assertTrue(contrast(light) > 7, "light: " + light);
    assertTrue(contrast(dark) > 7, "dark: " + dark);
    assertTrue(luminance(light.path("page").asText()) > 0.8, light.toString());
    assertTrue(luminance(dark.path("page").asText()) < 0.1, dark.toString());
    assertTrue(luminance(light.path("plotInk").asText()) < 0.2, light.toString());
    assertTrue(luminance(dark.path("plotInk").asText()) > 0.5, dark.toString());
  }

  private JsonNode look(int width, boolean dark) throws Exception {
    Path browser = BROWSERS.stream().filter(Files::exists).findFirst().orElse(null);
    assumeTrue(browser != null, "no browser here");
    String report = Report.html(Samples.evidence("laptop"));
    Path page = folder.resolve("page.html");
    Files.writeString(
        page, PAGE.formatted(width, report.replace("&", "&amp;").replace("\"", "&quot;")));
    Path dump = folder.resolve("dump.html");
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + folder.resolve("profile-" + width + dark),
                "--blink-settings=preferredColorScheme=" + (dark ? 0 : 1),
                "--virtual-time-budget=5000",
                "--window-size=1400,1000",
                "--dump-dom",
                page.toUri().toString())
            .redirectOutput(dump.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("the browser did not end");
    }
    String text = Files.readString(dump, StandardCharsets.UTF_8);
    int start = text.indexOf("<pre id=\"seen\">");
    assertTrue(
        start > 0, "the browser said nothing: " + text.substring(0, Math.min(500, text.length())));
    String found = text.substring(start + 15, text.indexOf("</pre>", start));
    return new JsonMapper().readTree(found.replace("&amp;", "&"));
  }

  private static double contrast(JsonNode seen) {
    double a = luminance(seen.path("page").asText());
    double b = luminance(seen.path("ink").asText());
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  /** Relative luminance of {@code rgb(r, g, b)}, as WCAG defines it. */
  private static double luminance(String rgb) {
    String[] parts = rgb.replaceAll("[^0-9,]", "").split(",", -1);
    double[] weights = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      double c = Integer.parseInt(parts[i]) / 255.0;
      sum += weights[i] * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  private static final String PAGE =
      """
      <!doctype html><meta charset="utf-8"><style>body{margin:0}</style>
      <iframe id="f" style="border:0;width:%dpx;height:900px" srcdoc="%s"></iframe>
      <script>
      window.onload = () => {
        const d = document.getElementById('f').contentDocument;
        const style = e => d.defaultView.getComputedStyle(e);
        const scroll = d.querySelector('.scroll');
        const shown = [...d.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0);
        const pre = document.createElement('pre');
        pre.id = 'seen';
        pre.textContent = JSON.stringify({
          pageWidth: d.documentElement.scrollWidth,
          tableScrolls: scroll.scrollWidth > scroll.clientWidth,
          figures: shown.length,
          figureWidth: Math.round(shown[0].getBoundingClientRect().width),
          lineLength: Math.round(shown[0].querySelector('.line').getTotalLength()),
          textSize: 13 * shown[0].getBoundingClientRect().width / shown[0].viewBox.baseVal.width,
          verdicts: [...d.querySelectorAll('.verdict')].map(v => v.textContent).join('|'),
          requests: d.defaultView.performance.getEntriesByType('resource').length,
          page: style(d.body).backgroundColor, ink: style(d.body).color,
          plotInk: style(d.querySelector('svg .name')).fill,
        });
        document.body.append(pre);
      };
      </script>
      """;
}
