"""What the graphics card computes: positions are screen pixels from the upper left corner."""

from __future__ import annotations

STROKE_VERTEX = """
uniform vec2 u_size;
attribute vec2 a_position;
attribute vec2 a_place;
attribute vec3 a_shape;
attribute vec4 a_color;
varying vec2 v_place;
varying vec3 v_shape;
varying vec4 v_color;
void main() {
    v_place = a_place;
    v_shape = a_shape;
    v_color = a_color;
    gl_Position = vec4(2.0 * a_position / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

STROKE_FRAGMENT = """
uniform float u_ratio;
varying vec2 v_place;
varying vec3 v_shape;
varying vec4 v_color;
void main() {
    float past = max(max(-v_place.x, v_place.x - v_shape.x), 0.0);
    float cover = clamp((v_shape.y - length(vec2(past, v_place.y))) * u_ratio + 0.5, 0.0, 1.0);
    if (v_shape.z > 0.0) {
        float phase = abs(mod(v_place.x, v_shape.z) - 0.5 * v_shape.z);
        cover *= clamp((phase - 0.25 * v_shape.z) * u_ratio + 0.5, 0.0, 1.0);
    }
    gl_FragColor = vec4(v_color.rgb, v_color.a * cover);
}
"""

SHADE_VERTEX = """
uniform vec2 u_size;
attribute vec2 a_position;
attribute vec4 a_color;
varying vec4 v_color;
void main() {
    v_color = a_color;
    gl_Position = vec4(2.0 * a_position / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

SHADE_FRAGMENT = """
varying vec4 v_color;
void main() {
    gl_FragColor = v_color;
}
"""

IMAGE_VERTEX = """
uniform vec2 u_size;
uniform vec4 u_rect;
attribute vec2 a_corner;
varying vec2 v_corner;
void main() {
    v_corner = a_corner;
    vec2 at = u_rect.xy + a_corner * u_rect.zw;
    gl_Position = vec4(2.0 * at / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

IMAGE_FRAGMENT = """
uniform sampler2D u_texture;
varying vec2 v_corner;
void main() {
    gl_FragColor = texture2D(u_texture, v_corner);
}
"""
