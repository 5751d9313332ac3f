package dev.jformer.data.image;

import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEG;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegmentUtil;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.metadata.tiff.TIFFReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * How a camera was held: how the stored rows and columns become those of the upright image.
 *
 * @param swapped whether stored columns are the image's rows
 * @param mirrored whether the image's columns run backwards in the file
 * @param flipped whether the image's rows run backwards in the file
 */
record Orientation(boolean swapped, boolean mirrored, boolean flipped) {
  private static final Orientation UPRIGHT = new Orientation(false, false, false);
  private static final long PNG = 0x89504e470d0a1a0aL;

  /** The orientation that EXIF data in a JPEG or PNG file give; upright if there are none. */
  static Orientation of(byte[] image) {
    try {
      InputStream exif = isPng(image) ? inPng(image) : inJpeg(image);
      return exif == null ? UPRIGHT : ofExif(exif);
    } catch (IOException | RuntimeException e) {
      return UPRIGHT; // of another format, or EXIF data that are damaged
    }
  }

  private static boolean isPng(byte[] image) {
    return image.length > 8 && ByteBuffer.wrap(image).getLong() == PNG;
  }

  private static InputStream inJpeg(byte[] image) throws IOException {
    try (ImageInputStream in = stream(new ByteArrayInputStream(image))) {
      for (JPEGSegment segment : JPEGSegmentUtil.readSegments(in, JPEG.APP1, "Exif")) {
        InputStream exif = segment.data();
        exif.skipNBytes(1); // the identifier ends in two zeros
        return exif;
      }
    }
    return null;
  }

  private static InputStream inPng(byte[] image) {
    ByteBuffer chunks = ByteBuffer.wrap(image).position(8);
    while (chunks.remaining() >= 12) {
      int length = chunks.getInt();
      byte[] type = new byte[4];
      chunks.get(type);
      if (length < 0 || length > chunks.remaining()) {
        return null;
      }
      if (new String(type, StandardCharsets.US_ASCII).equals("eXIf")) {
        return new ByteArrayInputStream(image, chunks.position(), length);
      }
      chunks.position(Math.min(chunks.limit(), chunks.position() + length + 4));
    }
    return null;
  }

  private static Orientation ofExif(InputStream exif) throws IOException {
    try (ImageInputStream in = stream(exif)) {
      Entry entry = new TIFFReader().read(in).getEntryById(TIFF.TAG_ORIENTATION);
      return entry != null && entry.getValue() instanceof Number number
          ? ofTag(number.intValue())
          : UPRIGHT;
    }
  }

  private static ImageInputStream stream(InputStream in) {
    return new MemoryCacheImageInputStream(in);
  }

  private static Orientation ofTag(int tag) {
    return switch (tag) {
      case 2 -> new Orientation(false, true, false);
      case 3 -> new Orientation(false, true, true);
      case 4 -> new Orientation(false, false, true);
      case 5 -> new Orientation(true, false, false);
      case 6 -> new Orientation(true, true, false);
      case 7 -> new Orientation(true, true, true);
      case 8 -> new Orientation(true, false, true);
      default -> UPRIGHT;
    };
  }
}
