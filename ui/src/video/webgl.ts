import type { AnyPicture } from '../platform/types'

const VERTEX = `attribute vec2 corner; varying vec2 at; uniform float turns;
void main() {
  gl_Position = vec4(corner, 0.0, 1.0);
  float angle = turns * 1.5707963267948966;
  vec2 turned = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * corner;
  at = vec2(turned.x + 1.0, 1.0 - turned.y) / 2.0;
}`
/** BT.601 in limited range. */
const FRAGMENT = `precision mediump float; varying vec2 at; uniform sampler2D y; uniform sampler2D u; uniform sampler2D v;
void main() {
  float luma = 1.164 * (texture2D(y, at).r - 0.0625);
  float blue = texture2D(u, at).r - 0.5;
  float red = texture2D(v, at).r - 0.5;
  gl_FragColor = vec4(luma + 1.596 * red, luma - 0.813 * red - 0.392 * blue, luma + 2.017 * blue, 1.0);
}`

/** For pages without `VideoFrame`. */
export class WebglPainter {
  private constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGLRenderingContext,
    private readonly turns: WebGLUniformLocation | null,
  ) {}

  static of(canvas: HTMLCanvasElement): WebglPainter | null {
    const gl = canvas.getContext('webgl', { alpha: false, preserveDrawingBuffer: true })
    const program = gl && link(gl)
    if (!gl || !program) return null
    gl.useProgram(program)
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer())
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW)
    const corner = gl.getAttribLocation(program, 'corner')
    gl.enableVertexAttribArray(corner)
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    for (const [unit, name] of ['y', 'u', 'v'].entries()) {
      gl.activeTexture(gl.TEXTURE0 + unit)
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture())
      for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE)
      for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, gl.LINEAR)
      gl.uniform1i(gl.getUniformLocation(program, name), unit)
    }
    return new WebglPainter(canvas, gl, gl.getUniformLocation(program, 'turns'))
  }

  draw(picture: AnyPicture): void {
    // A page that has no `VideoFrame` has decoded nothing.
    if ('frame' in picture) return picture.frame.close()
    const { data, width, height, quarterTurns } = picture
    const { canvas, gl } = this
    const [wide, high] = quarterTurns % 2 === 0 ? [width, height] : [height, width]
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide
      canvas.height = high
      gl.viewport(0, 0, wide, high)
    }
    const [halfWidth, halfHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)]
    const [luma, chroma] = [width * height, halfWidth * halfHeight]
    this.plane(0, data.subarray(0, luma), width, height)
    this.plane(1, data.subarray(luma, luma + chroma), halfWidth, halfHeight)
    this.plane(2, data.subarray(luma + chroma), halfWidth, halfHeight)
    gl.uniform1f(this.turns, quarterTurns)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }

  private plane(unit: number, data: Uint8Array, width: number, height: number): void {
    const { gl } = this
    gl.activeTexture(gl.TEXTURE0 + unit)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.LUMINANCE, width, height, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, data)
  }
}

function link(gl: WebGLRenderingContext): WebGLProgram | null {
  const program = gl.createProgram()
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind)
    if (!shader) return null
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null
}
