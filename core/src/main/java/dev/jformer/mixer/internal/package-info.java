/** Helpers that token mixers share. Not part of the library's API: it may change at any time. */
package dev.jformer.mixer.internal;
